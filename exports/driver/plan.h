// What the programs of this folder need to be told, from `project.txt`, and the parameters, from `parameters.txt`.
#ifndef HEBBARIUM_PLAN_H
#define HEBBARIUM_PLAN_H

#include "arrays.h"

#include <set>
#include <sstream>

// Which presentation of a program holds which samples, or none.
struct Slots {
    size_t batch = 1, idle = 0, lag = 0;
    bool in_turn = false;

    bool plain() const { return batch == 1 && !idle && !lag && !in_turn; }
    size_t beside() const { return in_turn ? 1 : batch; }
    size_t row(size_t number) const {
        const size_t batches = number / batch;
        return batches * idle + (in_turn ? number : batches);
    }
    size_t presentations(size_t samples) const {
        return samples ? row(samples - 1) + 1 + std::max(idle, lag) : 0;
    }
};

struct StateVariable {
    std::string name;
    size_t size;
    std::string kind;  // plain, time or cursor
};

// How one input of the network comes of images, labels, passes through the images, and places in a block.
struct InputForm {
    std::string name, form;
    size_t width;
    double number = 0;
    std::string table;
};

// What is read of each neuron of a population.
struct Measure {
    std::string key, population, kind;  // count, first or value
    size_t steps;
    std::string monitor;  // what a program calls it
};

struct Read {
    std::string name, type, source;  // state, input or value
    std::string symbol;
};

struct Program {
    std::string phase, controller;
    size_t steps = 0;
    Slots slots;
    std::vector<StateVariable> states;
    std::vector<InputForm> inputs;
    std::vector<Read> reads;
    std::vector<Measure> measures;
    std::vector<std::string> kept;
};

struct Stage {
    std::string phase;
    size_t passes;
    bool cut;  // whether each pass begins a block
};

// A change of state between two phases or passes.
struct Change {
    std::string kind, name;  // scale or zero
    size_t rows = 0, columns = 0;
    int power = 0;
    std::string target;  // a product of parameters and numbers
};

struct Readout {
    std::string name, decoding;
    bool strict, lenient;
    std::string measure, ties;
};

struct Plan {
    std::string name, labels_from, labels_of;
    uint64_t seed = 0;
    size_t block = 0, asked = 0, rows = 0, columns = 0, classes = 0;
    double step = 0;
    std::map<std::string, uint64_t> purposes, sets;
    std::map<std::string, size_t> populations;
    std::map<std::string, Program> programs;
    std::vector<Stage> stages;
    std::vector<Change> handed_on, between;
    std::vector<std::string> carried, shown;
    std::vector<Readout> readouts;
    std::map<std::string, double> parameters;
    Arrays tables;

    const Program& program(const std::string& phase) const {
        const auto found = programs.find(phase);
        if (found == programs.end()) fail("project.txt: has no program " + phase);
        return found->second;
    }
    const Array& table(const std::string& name) const {
        const auto found = tables.find(name);
        if (found == tables.end()) fail("tables: has no " + name);
        return found->second;
    }
    double parameter(const std::string& symbol) const {
        const auto found = parameters.find(symbol);
        if (found == parameters.end()) fail("parameters.txt: has no value of " + symbol);
        return found->second;
    }
    double product(const std::string& factors) const {
        std::istringstream words(factors);
        std::string factor;
        double value = 1;
        while (std::getline(words, factor, '*')) {
            char* end;
            const double number = std::strtod(factor.c_str(), &end);
            value *= *end ? parameter(factor) : number;
        }
        return value;
    }
    bool has(const std::string& name) const { return tables.count(name) > 0; }
    std::vector<int64_t> numbers(const std::string& name) const {
        const Array& array = table(name);
        return std::vector<int64_t>(array.data<int64_t>(), array.data<int64_t>() + array.size());
    }
};

// The words of a line; what follows a # is a remark.
class Line {
    std::string where_;
    std::istringstream words_;

  public:
    std::string keyword;

    Line(const std::string& text, const std::string& where) : where_(where), words_(text.substr(0, text.find('#'))) {
        words_ >> keyword;
    }
    std::string word() {
        std::string value;
        if (!(words_ >> value)) fail(where_ + ": ends too early");
        return value;
    }
    double number() {
        const std::string text = word();
        char* end;
        const double value = std::strtod(text.c_str(), &end);
        if (*end || text.empty()) fail(where_ + ": '" + text + "' is no number");
        return value;
    }
    uint64_t whole() {
        const std::string text = word();
        char* end;
        const unsigned long long value = std::strtoull(text.c_str(), &end, 10);
        if (*end || text[0] == '-') fail(where_ + ": '" + text + "' is no whole number");
        return value;
    }
    void end() {
        std::string more;
        if (words_ >> more) fail(where_ + ": '" + more + "' is too much");
    }
};

template <class Function> void for_each_line(const std::string& path, const Function& function) {
    std::ifstream file(path);
    if (!file) fail(path + ": cannot be opened; start the program in the folder of the project");
    std::string text;
    for (size_t number = 1; std::getline(file, text); number++) {
        Line line(text, path + ", line " + std::to_string(number));
        if (line.keyword.empty()) continue;
        function(line);
        line.end();
    }
}

inline void read_parameters(Plan& plan) {
    const std::string path = "parameters.txt";
    for_each_line(path, [&](Line& line) {
        const double value = line.number();
        if (!std::isfinite(value)) fail(path + ": " + line.keyword + " is no finite number");
        if (!plan.parameters.emplace(line.keyword, value).second) fail(path + ": has two values of " + line.keyword);
    });
    for (const auto& entry : plan.programs)
        for (const Read& read : entry.second.reads)
            if (read.source == "value") plan.parameter(read.symbol);
}

inline Plan read_plan() {
    Plan plan;
    Program* program = nullptr;
    const std::string path = "project.txt";
    for_each_line(path, [&](Line& line) {
        const std::string& keyword = line.keyword;
        const auto current = [&]() -> Program& {
            if (!program) fail(path + ": '" + keyword + "' belongs to no program");
            return *program;
        };
        if (keyword == "project") {
            if (line.whole() != 1) fail(path + ": is of another version than the programs beside it");
        } else if (keyword == "model") plan.name = line.word();
        else if (keyword == "seed") plan.seed = line.whole();
        else if (keyword == "block") plan.block = line.whole(), plan.asked = line.whole();
        else if (keyword == "step") plan.step = line.number();
        else if (keyword == "images") plan.rows = line.whole(), plan.columns = line.whole();
        else if (keyword == "classes") plan.classes = line.whole();
        else if (keyword == "labels") plan.labels_from = line.word(), plan.labels_of = line.word();
        else if (keyword == "purpose") { const std::string name = line.word(); plan.purposes[name] = line.whole(); }
        else if (keyword == "set") { const std::string name = line.word(); plan.sets[name] = line.whole(); }
        else if (keyword == "population") { const std::string name = line.word(); plan.populations[name] = line.whole(); }
        else if (keyword == "stage") {
            Stage stage;
            stage.phase = line.word(), stage.passes = line.whole(), stage.cut = line.whole() != 0;
            plan.stages.push_back(stage);
        } else if (keyword == "handed_on" || keyword == "between") {
            Change change;
            change.kind = line.word(), change.name = line.word();
            if (change.kind == "scale") {
                change.rows = line.whole(), change.columns = line.whole();
                change.power = static_cast<int>(line.whole()), change.target = line.word();
            }
            (keyword == "between" ? plan.between : plan.handed_on).push_back(change);
        } else if (keyword == "carried") plan.carried.push_back(line.word());
        else if (keyword == "shown") plan.shown.push_back(line.word());
        else if (keyword == "readout") {
            Readout readout;
            readout.name = line.word(), readout.decoding = line.word();
            readout.strict = line.whole() != 0, readout.lenient = line.whole() != 0;
            readout.measure = line.word(), readout.ties = line.word();
            plan.readouts.push_back(readout);
        } else if (keyword == "program") {
            const std::string phase = line.word();
            program = &plan.programs[phase];
            program->phase = phase, program->steps = line.whole();
        } else if (keyword == "slots") {
            Slots& slots = current().slots;
            slots.batch = line.whole(), slots.idle = line.whole(), slots.lag = line.whole();
            slots.in_turn = line.whole() != 0;
        } else if (keyword == "controller") current().controller = line.word();
        else if (keyword == "state") {
            StateVariable variable;
            variable.name = line.word(), variable.size = line.whole(), variable.kind = line.word();
            current().states.push_back(variable);
        } else if (keyword == "input") {
            InputForm input;
            input.name = line.word(), input.width = line.whole(), input.form = line.word();
            input.number = line.number(), input.table = line.word();
            current().inputs.push_back(input);
        } else if (keyword == "reads") {
            Read read;
            read.name = line.word(), read.type = line.word(), read.source = line.word();
            if (read.source == "value") read.symbol = line.word();
            if (!known_type(read.type)) fail(path + ": " + read.name + " is of type " + read.type);
            current().reads.push_back(read);
        } else if (keyword == "measure") {
            Measure measure;
            measure.key = line.word(), measure.population = line.word(), measure.kind = line.word();
            measure.steps = line.whole(), measure.monitor = line.word();
            current().measures.push_back(measure);
        } else if (keyword == "kept") current().kept.push_back(line.word());
        else fail(path + ": '" + keyword + "' means nothing here");
    });
    if (!plan.block || !plan.asked || !plan.step || plan.programs.empty()) fail(path + ": is not whole");
    plan.tables = read_arrays("tables");
    read_parameters(plan);
    return plan;
}

#endif
