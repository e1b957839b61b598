// Samples shown to a network in which nothing learns: every block begins with the trained state.
#ifndef HEBBARIUM_FROZEN_H
#define HEBBARIUM_FROZEN_H

#include "readouts.h"

#include <algorithm>

inline std::string numbered(const std::string& folder, size_t number) {
    char name[32];
    std::snprintf(name, sizeof name, "/%06zu", number);
    return folder + name;
}

inline void write_block(const std::string& folder, size_t index, const std::map<std::string, Array>& kept) {
    write_arrays(numbered(folder, index), kept);
}

// Call a function with the samples of each block and what they evoked, which is kept in a folder.
template <class Function>
void ask(const Plan& plan, const std::string& phase, const std::string& purpose, const Arrays& trained, const Samples& samples,
         const std::string& folder, const Function& function) {
    const Program& program = plan.program(phase);
    const Arrays begin = frozen(plan, program, trained);
    const Scratch scratch(folder);
    for (size_t first = 0, index = 0; first < samples.size(); first += plan.asked, index++) {
        const size_t last = std::min(first + plan.asked, samples.size());
        const Samples part{samples.images, {samples.numbers.begin() + first, samples.numbers.begin() + last}, {}};
        const uint32_t seed = block_seed({plan.seed, plan.purposes.at(purpose), index});
        const Answers answers = show(plan, program, begin, part, seed, scratch);
        write_block(folder, index, answers.kept);
        function(part, answers.kept);
    }
}

inline std::vector<int64_t> all_of(const Images& images) {
    std::vector<int64_t> numbers(images.count);
    for (size_t k = 0; k < numbers.size(); k++) numbers[k] = static_cast<int64_t>(k);
    return numbers;
}

// Whether images are those of the run that this project was made of, for which it holds what was drawn.
inline bool are_those(const Plan& plan, const Images& images, const std::string& part) {
    const auto pixels = plan.sets.find(part + "_pixels"), labels = plan.sets.find(part + "_labels");
    return pixels != plan.sets.end() && labels != plan.sets.end() && pixels->second == images.pixels_crc &&
           (!images.labelled || labels->second == images.labels_crc);
}

inline Array one_number(uint64_t value) { return array_of("<i8", std::vector<int64_t>{static_cast<int64_t>(value)}); }

inline void refuse_existing(const std::string& folder) {
    if (is_there(folder)) fail(folder + ": is there already; nothing in it was touched. Name another folder: --out FOLDER");
}

// Options of a program by their names, and its other arguments.
struct Arguments {
    std::vector<std::string> files;
    std::map<std::string, std::string> options;

    Arguments(int count, char** given, const std::set<std::string>& known, const std::string& usage) {
        for (int k = 1; k < count; k++) {
            const std::string word = given[k];
            if (word.rfind("--", 0) != 0) files.push_back(word);
            else if (known.count(word) && k + 1 < count) options[word] = given[++k];
            else fail(usage);
        }
    }
    std::string option(const std::string& name, const std::string& otherwise) const {
        const auto found = options.find(name);
        return found == options.end() ? otherwise : found->second;
    }
};

#endif
