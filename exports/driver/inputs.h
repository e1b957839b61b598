// What a block of samples is given: rates, levels, labels and whatever else its network reads.
#ifndef HEBBARIUM_INPUTS_H
#define HEBBARIUM_INPUTS_H

#include "images.h"
#include "plan.h"

// Numbers by sample, `width` each.
struct Given {
    size_t width;
    std::vector<double> values;
};

using Inputs = std::map<std::string, Given>;

struct Samples {
    const Images& images;
    std::vector<int64_t> numbers;
    std::vector<size_t> passes;  // through the images, before the one that a sample belongs to; none while nothing learns

    size_t size() const { return numbers.size(); }
};

inline void fill(std::vector<double>& values, const InputForm& input, const Plan& plan, const Samples& samples, const Inputs& before) {
    const size_t width = input.width, count = samples.size();
    // of the brightest of another input, it names that input
    const bool is_name = input.table == "-" || input.form == "brightest";
    const double* const table = is_name ? nullptr : plan.table(input.table).data<double>();
    const std::string& form = input.form;
    const size_t every = static_cast<size_t>(input.number);
    for (size_t k = 0; k < count; k++) {
        double* const row = &values[k * width];
        const uint8_t* const image = samples.images.image(static_cast<size_t>(samples.numbers[k]));
        const size_t label = static_cast<size_t>(samples.images.label(static_cast<size_t>(samples.numbers[k])));
        if (form == "level") {
            for (size_t i = 0; i < width; i++) row[i] = table[image[i]];
        } else if (form == "share" || form == "lit_share") {
            // so much for all pixels of an image together, by their levels, or the same for each that is not black
            const bool lit = form == "lit_share";
            double total = 0;
            for (size_t i = 0; i < width; i++) total += lit ? image[i] > 0 : image[i];
            const double factor = input.number / (total > 0 ? total : 1);
            for (size_t i = 0; i < width; i++) row[i] = (lit ? image[i] > 0 : image[i]) * factor;
        } else if (form == "evened") {
            // levels brought to one mean, cut off at white, then as by a table
            double total = 0;
            for (size_t i = 0; i < width; i++) total += image[i];
            const double mean = total / static_cast<double>(width), factor = input.number / (mean > 0 ? mean : 1);
            for (size_t i = 0; i < width; i++) row[i] = table[static_cast<size_t>(std::min(std::floor(image[i] * factor), 255.0))];
        } else if (form == "brightest") {
            const Given& other = before.at(input.table);
            row[0] = 0;
            for (size_t i = 0; i < other.width; i++) row[0] = std::max(row[0], other.values[k * other.width + i]);
        } else if (form == "label") row[0] = static_cast<double>(label);
        else if (form == "class") std::memcpy(row, table + label * width, width * sizeof(double));
        else if (form == "pass") row[0] = table[samples.passes.empty() ? 0 : samples.passes[k]];
        else if (form == "opens") row[0] = every ? k % every == 0 : k == 0;
        else if (form == "closes") row[0] = (every && (k + 1) % every == 0) || k + 1 == count;
        else fail("project.txt: input " + input.name + " has the form '" + form + "', which means nothing here");
    }
}

inline Inputs inputs_of(const Plan& plan, const Program& program, const Samples& samples) {
    Inputs inputs;
    for (const InputForm& input : program.inputs) {
        const bool of_pixels = input.form == "level" || input.form == "share" || input.form == "lit_share" || input.form == "evened";
        if (of_pixels && input.width != samples.images.pixels) fail("project.txt: input " + input.name + " has another size than images");
        Given given{input.width, std::vector<double>(samples.size() * input.width)};
        if (input.form == "brightest" && !inputs.count(input.table)) fail("project.txt: input " + input.name + " comes too early");
        fill(given.values, input, plan, samples, inputs);
        inputs[input.name] = std::move(given);
    }
    return inputs;
}

// Inputs by sample, from a number on, as inputs by presentation: zeros where a presentation holds no sample. Which
// places are occupied is added, unless each presentation holds one sample.
inline Inputs arranged(const Inputs& inputs, size_t from, size_t samples, const Slots& slots) {
    Inputs result;
    const size_t presentations = slots.presentations(samples), beside = slots.beside();
    const auto place = [&](size_t k) { return slots.row(k) * beside + k % beside; };
    for (const auto& entry : inputs) {
        const size_t width = entry.second.width;
        Given given{width * beside, std::vector<double>(presentations * beside * width)};
        for (size_t k = 0; k < samples; k++)
            std::memcpy(&given.values[place(k) * width], &entry.second.values[(from + k) * width], width * sizeof(double));
        result[entry.first] = std::move(given);
    }
    if (!slots.plain()) {
        Given occupied{beside, std::vector<double>(presentations * beside)};
        for (size_t k = 0; k < samples; k++) occupied.values[place(k)] = 1;
        result["occupied"] = std::move(occupied);
    }
    return result;
}

#endif
