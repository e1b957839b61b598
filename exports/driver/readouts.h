// From what is read of neurons to a class, and from responses to the classes that neurons stand for.
#ifndef HEBBARIUM_READOUTS_H
#define HEBBARIUM_READOUTS_H

#include "blocks.h"

constexpr int64_t no_class = -1;

// Spike counts of each neuron by class, gathered sample by sample.
class ClassMeans {
    size_t neurons_;
    std::vector<int64_t> total_, samples_;

  public:
    ClassMeans(size_t neurons, size_t classes) : neurons_(neurons), total_(neurons * classes), samples_(classes) {}

    void add(const uint16_t* counts, size_t label) {
        for (size_t i = 0; i < neurons_; i++) total_[label * neurons_ + i] += counts[i];
        samples_[label]++;
    }
    // The class with the highest mean, the lowest among equals; none for a neuron that never fired.
    std::vector<int64_t> labels() const {
        std::vector<int64_t> result(neurons_, no_class);
        for (size_t i = 0; i < neurons_; i++) {
            double most = 0;
            for (size_t c = 0; c < samples_.size(); c++) {
                const double mean = static_cast<double>(total_[c * neurons_ + i]) / static_cast<double>(std::max<int64_t>(samples_[c], 1));
                if (mean > most) most = mean, result[i] = static_cast<int64_t>(c);
            }
        }
        return result;
    }
};

inline double value_at(const Array& array, size_t k) {
    double value = 0;
    with_data(array, [&](const auto* values) { value = static_cast<double>(values[k]); });
    return value;
}

// The class of the neuron with the most spikes, or the class whose neurons have the most on average.
inline int64_t labelled_answer(const Readout& readout, const uint16_t* counts, const std::vector<int64_t>& labels) {
    if (readout.decoding == "labelled_largest") {
        const size_t first = static_cast<size_t>(std::max_element(counts, counts + labels.size()) - counts);
        return counts[first] ? labels[first] : no_class;
    }
    const int64_t classes = std::max<int64_t>(*std::max_element(labels.begin(), labels.end()) + 1, 1);
    int64_t answer = no_class;
    double most = 0;
    for (int64_t c = 0; c < classes; c++) {
        uint64_t total = 0, neurons = 0;
        for (size_t i = 0; i < labels.size(); i++)
            if (labels[i] == c) total += counts[i], neurons++;
        const double mean = neurons ? static_cast<double>(total) / static_cast<double>(neurons) : 0;
        if (mean > most) most = mean, answer = c;
    }
    return answer;
}

// The class whose own neuron has the largest value, or spikes first. `truth` is the class of the sample, if it is known.
inline int64_t own_answer(const Readout& readout, const Array& first, const Array* second, size_t sample, size_t classes, int64_t truth) {
    const bool earliest = readout.decoding == "earliest";
    std::vector<double> ranked(classes);
    bool answered = false;
    for (size_t c = 0; c < classes; c++) {
        const double value = value_at(first, sample * classes + c);
        answered |= first.type[1] == 'f' ? !std::isnan(value) : value != 0;
        ranked[c] = std::isnan(value) ? -HUGE_VAL : earliest ? -value : value;
    }
    const auto lead = [](const std::vector<double>& values) { return *std::max_element(values.begin(), values.end()); };
    const double best = lead(ranked);
    std::vector<bool> candidates(classes);
    for (size_t c = 0; c < classes; c++) candidates[c] = ranked[c] == best;
    if (readout.lenient && truth >= 0 && answered && static_cast<size_t>(truth) < classes && candidates[truth])
        for (size_t c = 0; c < classes; c++) candidates[c] = c == static_cast<size_t>(truth);
    if (second) {
        for (size_t c = 0; c < classes; c++) ranked[c] = candidates[c] ? value_at(*second, sample * classes + c) : -HUGE_VAL;
        const double largest = lead(ranked);
        for (size_t c = 0; c < classes; c++) candidates[c] = ranked[c] == largest;
        answered = true;
    }
    const size_t many = static_cast<size_t>(std::count(candidates.begin(), candidates.end(), true));
    if (!answered || (readout.strict && many != 1)) return no_class;
    return std::find(candidates.begin(), candidates.end(), true) - candidates.begin();
}

inline int64_t answer(const Readout& readout, const std::map<std::string, Array>& read, const std::vector<int64_t>& labels, size_t sample, size_t samples, int64_t truth) {
    const Array& first = read.at(readout.measure);
    const size_t neurons = first.size() / samples;
    if (readout.decoding.rfind("labelled", 0) == 0) return labelled_answer(readout, first.data<uint16_t>() + sample * neurons, labels);
    const Array* second = readout.ties == "-" ? nullptr : &read.at(readout.ties);
    return own_answer(readout, first, second, sample, neurons, truth);
}

#endif
