// A block of samples: given to the compiled program of a phase, each shown until it is over, and what came of it.
#ifndef HEBBARIUM_BLOCKS_H
#define HEBBARIUM_BLOCKS_H

#include "inputs.h"
#include "streams.h"

#include <chrono>
#include <climits>
#include <dirent.h>
#include <sys/wait.h>

struct Answers {
    Arrays state;
    std::map<std::string, Array> kept;  // by key, (samples, neurons)
    double seconds;
};

// A folder for the private files of programs, which is gone afterwards.
class Scratch {
    std::string path_;

  public:
    explicit Scratch(const std::string& beside) {
        std::string name = beside + "/.block-XXXXXX";
        if (!mkdtemp(&name[0])) fail(name + ": cannot be made (" + std::strerror(errno) + ")");
        char whole[PATH_MAX];
        if (!realpath(name.c_str(), whole)) fail(name + ": cannot be found");
        path_ = whole;
    }
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;
    ~Scratch() {
        for (const char* name : {"/inputs", "/results", "/inputs.tmp", "/results.tmp"}) unlink((path_ + name).c_str());
        rmdir(path_.c_str());
    }
    const std::string& path() const { return path_; }
};

inline void launch(const Program& program, const Scratch& scratch) {
    const std::string folder = "programs/" + program.phase;
    const std::string parent = std::to_string(getpid());
    const pid_t child = fork();
    if (child < 0) fail("a program cannot be started (" + std::string(std::strerror(errno)) + ")");
    if (child == 0) {
        setenv("HEBBARIUM_BLOCK", scratch.path().c_str(), 1);
        setenv("HEBBARIUM_PARENT", parent.c_str(), 1);
        setenv("OMP_NUM_THREADS", "1", 1);
        setenv("GLIBC_TUNABLES", "glibc.malloc.hugetlb=1", 0);  // large pages, where the system has them
        const int nowhere = open("/dev/null", O_RDWR);
        if (nowhere >= 0) dup2(nowhere, 0), dup2(nowhere, 1);
        if (chdir(folder.c_str()) == 0) execl("./main", "main", static_cast<char*>(nullptr));
        std::fprintf(stderr, "%s/main: cannot be started (%s); run make\n", folder.c_str(), std::strerror(errno));
        _exit(127);
    }
    int status;
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR) fail(folder + "/main: was lost (" + std::strerror(errno) + ")");
    if (WIFSIGNALED(status)) fail(folder + "/main: was killed by signal " + std::to_string(WTERMSIG(status)));
    if (WEXITSTATUS(status) != 0) fail(folder + "/main: ended with exit code " + std::to_string(WEXITSTATUS(status)));
}

struct Spikes {
    std::vector<int64_t> step;
    const int32_t* neuron;
};

inline const Array& result_of(const Arrays& results, const std::string& name, const char* type = nullptr) {
    const auto found = results.find(name);
    if (found == results.end()) fail("a program gave back no " + name);
    if (type && found->second.type != type) fail("a program gave back " + name + " of type " + found->second.type);
    return found->second;
}

inline Spikes spikes_of(const Arrays& results, const std::string& monitor, double dt) {
    const Array& t = result_of(results, monitor + ".t", "<f8");
    const Array& i = result_of(results, monitor + ".i", "<i4");
    if (t.size() != i.size()) fail("a program gave back more times than neurons of spikes");
    Spikes spikes{std::vector<int64_t>(t.size()), i.data<int32_t>()};
    for (size_t k = 0; k < t.size(); k++) spikes.step[k] = static_cast<int64_t>(std::nearbyint(t.data<double>()[k] / dt));
    return spikes;
}

// Times are kept from the end of a block, cursors from the sample that comes next.
inline void make_relative(Array& array, const StateVariable& variable, double length, int64_t consumed) {
    const auto subtract = [&](auto* values, auto less) {
        for (size_t k = 0; k < array.size(); k++) values[k] -= less;
    };
    if (variable.kind == "time") {
        if (array.type == "<f8") subtract(array.data<double>(), length);
        else subtract(array.data<float>(), static_cast<float>(length));
    } else if (variable.kind == "cursor") {
        if (array.type == "<i4") subtract(array.data<int32_t>(), static_cast<int32_t>(consumed));
        else if (array.type == "<i8") subtract(array.data<int64_t>(), consumed);
        else if (array.type == "<f4") subtract(array.data<float>(), static_cast<float>(consumed));
        else subtract(array.data<double>(), static_cast<double>(consumed));
    }
}

// What a measure reads of each presentation, (presentations, neurons): counts in 16 bits, others as they are.
inline Array read_measure(const Plan& plan, const Program& program, const Measure& measure, const Arrays& results, size_t presentations) {
    const size_t neurons = plan.populations.at(measure.population), cells = presentations * neurons;
    const int64_t steps = static_cast<int64_t>(program.steps), until = static_cast<int64_t>(measure.steps);
    if (measure.kind == "value") {
        const Array& neuron = result_of(results, measure.monitor + ".i", "<i4");
        const Array& value = result_of(results, measure.monitor + ".value");
        if (value.size() != cells || neuron.size() != cells) fail("a program gave back too little of " + measure.key);
        Array read{value.type, std::vector<char>(value.bytes.size())};
        for (size_t k = 0; k < cells; k++) {
            const size_t at = k / neurons * neurons + static_cast<size_t>(neuron.data<int32_t>()[k]);
            std::memcpy(&read.bytes[at * value.width()], &value.bytes[k * value.width()], value.width());
        }
        return read;
    }
    const Spikes spikes = spikes_of(results, measure.monitor, plan.step);
    const auto cell = [&](size_t k) {
        return static_cast<size_t>(spikes.step[k] / steps) * neurons + static_cast<size_t>(spikes.neuron[k]);
    };
    if (measure.kind == "count") {
        std::vector<uint16_t> counts(cells);
        for (size_t k = 0; k < spikes.step.size(); k++)
            if (spikes.step[k] % steps < until) counts.at(cell(k))++;
        return array_of("<u2", counts);
    }
    std::vector<double> first(cells, std::nan(""));
    for (size_t k = 0; k < spikes.step.size(); k++)
        if (spikes.step[k] % steps < until && std::isnan(first.at(cell(k))))
            first[cell(k)] = static_cast<double>(spikes.step[k] % steps) * plan.step;
    return array_of("<f8", first);
}

// One row for each sample, `width` numbers of a row of a presentation from a place on.
inline void append_row(Array& to, const Array& read, size_t presentation, size_t place, size_t neurons, size_t width) {
    const size_t from = (presentation * neurons + place * width) * read.width();
    to.type = read.type;
    to.bytes.insert(to.bytes.end(), read.bytes.begin() + from, read.bytes.begin() + from + width * read.width());
}

inline Answers show(const Plan& plan, const Program& program, Arrays state, const Samples& samples, uint32_t seed, const Scratch& scratch) {
    constexpr size_t most = 1000;  // presentations of one sample
    const auto started = std::chrono::steady_clock::now();
    const Inputs inputs = inputs_of(plan, program, samples);
    Answers answers;
    size_t done = 0, part = 0, under_way = 0;
    while (done < samples.size()) {
        const size_t waiting = samples.size() - done, presentations = program.slots.presentations(waiting);
        const Inputs shown = arranged(inputs, done, waiting, program.slots);
        const Array seeds = array_of("<u4", std::vector<uint32_t>{part ? block_seed({seed, part}) : seed});
        const Array steps = array_of("<i8", std::vector<int64_t>{static_cast<int64_t>(presentations * program.steps)});
        std::vector<Array> held(program.reads.size());
        std::vector<std::pair<std::string, const Array*>> sent = {{"seed", &seeds}, {"steps", &steps}};
        for (size_t k = 0; k < program.reads.size(); k++) {
            const Read& read = program.reads[k];
            if (read.source == "state") {
                const auto found = state.find(read.name);
                if (found == state.end()) fail("there is no state " + read.name);
                held[k] = converted(found->second, read.type);
            } else if (read.source == "input") {
                const auto found = shown.find(read.name);
                if (found == shown.end()) fail("project.txt: says nothing of input " + read.name);
                held[k] = converted(array_of("<f8", found->second.values), read.type);
            } else {
                held[k] = converted(array_of("<f8", std::vector<double>{plan.parameter(read.symbol)}), read.type);
            }
            sent.emplace_back(read.name, &held[k]);
        }
        unlink((scratch.path() + "/results").c_str());
        const uint32_t crc = write_arrays(scratch.path() + "/inputs", sent);
        launch(program, scratch);
        Arrays results = read_arrays(scratch.path() + "/results");
        if (result_of(results, "inputs_crc", "<u4").data<uint32_t>()[0] != crc) fail("a program read other inputs than it was given");
        if (std::fabs(result_of(results, "completed", "<f8").data<double>()[0] - 1) > 1e-9) fail("a program stopped before the end of its block");

        std::vector<size_t> ended;  // the presentation with which each sample was over
        if (program.controller.empty()) {
            for (size_t k = 0; k < waiting; k++) ended.push_back(k);
        } else {
            for (int64_t step : spikes_of(results, program.controller, plan.step).step)
                ended.push_back(static_cast<size_t>(step) / program.steps);
        }
        if (ended.size() > waiting) fail("a program ended more samples than it was given");
        for (const std::string& key : program.kept) {
            Array& to = answers.kept[key];
            const Measure* measure = nullptr;
            for (const Measure& one : program.measures)
                if (one.key == key) measure = &one;
            if (!measure) {
                long before = -1 - static_cast<long>(under_way);
                for (size_t at : ended) {
                    const Array times = array_of("<u2", std::vector<uint16_t>{static_cast<uint16_t>(static_cast<long>(at) - before)});
                    append_row(to, times, 0, 0, 1, 1);
                    before = static_cast<long>(at);
                }
                continue;
            }
            const Array read = read_measure(plan, program, *measure, results, presentations);
            const size_t neurons = plan.populations.at(measure->population), beside = program.slots.beside();
            for (size_t k = 0; k < ended.size(); k++) {
                const size_t presentation = program.slots.plain() ? ended[k] : program.slots.row(k) + program.slots.lag;
                append_row(to, read, presentation, k % beside, neurons, neurons / beside);
            }
        }
        const double length = static_cast<double>(presentations * program.steps) * plan.step;
        for (const StateVariable& variable : program.states) {
            Array array = result_of(results, variable.name);
            if (array.size() != variable.size) fail("a program gave back " + std::to_string(array.size()) + " values of " + variable.name);
            make_relative(array, variable, length, static_cast<int64_t>(ended.size()));
            state[variable.name] = std::move(array);
        }
        under_way = ended.empty() ? under_way + waiting : waiting - 1 - ended.back();
        if (under_way > most) fail("a sample was shown " + std::to_string(under_way) + " times and is not over");
        done += ended.size();
        part++;
    }
    for (const StateVariable& variable : program.states)
        with_data(state[variable.name], [&](const auto* values) {
            for (size_t k = 0; k < variable.size; k++) {
                const double value = static_cast<double>(values[k]);
                if (!std::isfinite(value) && !(variable.kind == "time" && value == -HUGE_VAL))
                    fail(variable.name + " is no finite number: the network grows without bound; look at parameters and the time step");
            }
        });
    answers.state = std::move(state);
    answers.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
    return answers;
}

// State that a phase begins with: what there is, and for the rest what its network begins with.
inline void begin_phase(const Plan& plan, const Program& program, Arrays& state) {
    for (const StateVariable& variable : program.states)
        if (!state.count(variable.name)) state[variable.name] = plan.table("begin/" + program.phase + "/" + variable.name);
}

inline void change(const Plan& plan, Arrays& state, const std::vector<Change>& changes) {
    for (const Change& one : changes) {
        const auto found = state.find(one.name);
        if (found == state.end()) continue;
        Array& array = found->second;
        if (one.kind == "zero") {
            std::fill(array.bytes.begin(), array.bytes.end(), 0);
            continue;
        }
        if (one.kind != "scale" || array.size() != one.rows * one.columns) fail("project.txt: " + one.name + " cannot be changed as it says");
        // the weights onto a neuron, a column, are brought to one norm
        const Array wide = converted(array, "<f8");
        const double* const w = wide.data<double>();
        const double target = plan.product(one.target);
        std::vector<double> norms(one.columns);
        for (size_t i = 0; i < one.rows; i++)
            for (size_t j = 0; j < one.columns; j++) {
                const double weight = std::fabs(w[i * one.columns + j]);
                norms[j] += one.power == 2 ? weight * weight : weight;
            }
        for (double& norm : norms) {
            if (one.power == 2) norm = std::sqrt(norm);
            norm = target / (norm > 0 ? norm : 1);
        }
        Array scaled = wide;
        for (size_t k = 0; k < scaled.size(); k++) scaled.data<double>()[k] = w[k] * norms[k % one.columns];
        array = converted(scaled, array.type);
    }
}

// State with which every block begins in a phase in which nothing learns.
inline Arrays frozen(const Plan& plan, const Program& program, const Arrays& trained) {
    Arrays state, begin;
    for (const std::string& name : plan.carried)
        if (trained.count(name)) state[name] = trained.at(name);
    change(plan, state, plan.handed_on);
    for (const StateVariable& variable : program.states)
        if (state.count(variable.name)) begin[variable.name] = state.at(variable.name);
    begin_phase(plan, program, begin);
    return begin;
}

#endif
