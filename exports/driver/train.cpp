// Trains the network of this folder on images: ./train IMAGES LABELS [--out FOLDER]
#include "frozen.h"

struct Block {
    std::vector<int64_t> numbers;
    std::vector<size_t> passes;
    size_t stage;
};

static std::vector<Block> schedule(const Plan& plan, const std::vector<int64_t>& trained) {
    std::vector<Block> blocks;
    size_t epoch = 0;
    for (size_t s = 0; s < plan.stages.size(); s++) {
        const Stage& stage = plan.stages[s];
        const size_t batch = plan.program(stage.phase).slots.batch, size = std::max<size_t>(plan.block / batch, 1) * batch;
        std::vector<int64_t> order;
        for (size_t pass = 0; pass < stage.passes; pass++) {
            const std::vector<int64_t> one = Generator({plan.seed, plan.purposes.at("order"), epoch++}).permuted(trained);
            order.insert(order.end(), one.begin(), one.end());
        }
        const size_t run = stage.cut ? trained.size() : order.size();
        for (size_t first = 0; first < order.size(); first += run)
            for (size_t at = first; at < first + run; at += size) {
                const size_t end = std::min(at + size, first + run);
                Block block{{order.begin() + at, order.begin() + end}, {}, s};
                for (size_t k = at; k < end; k++) block.passes.push_back(k / trained.size());
                blocks.push_back(block);
            }
    }
    return blocks;
}

// Which of all responses of training label the neurons, one after the other.
static std::vector<bool> labelling_responses(const Plan& plan, const std::vector<Block>& blocks) {
    std::vector<int64_t> shown;
    for (const Block& block : blocks) shown.insert(shown.end(), block.numbers.begin(), block.numbers.end());
    std::vector<bool> chosen(shown.size(), plan.labels_from == "all");
    if (plan.labels_from == "second_half")
        for (size_t k = shown.size() / 2; k < shown.size(); k++) chosen[k] = true;
    if (plan.labels_from == "last_pass") {
        std::set<int64_t> later;
        for (size_t k = shown.size(); k-- > 0;) chosen[k] = later.insert(shown[k]).second;
    }
    return chosen;
}

static void keep_snapshot(const Plan& plan, const Arrays& state, const std::string& folder, size_t seen) {
    std::vector<std::pair<std::string, const Array*>> arrays;
    for (const std::string& name : plan.shown)
        if (state.count(name)) arrays.emplace_back(name, &state.at(name));
    write_arrays(numbered(folder, seen), arrays);
}

int main(int count, char** given) {
    const std::string usage = "usage: ./train IMAGES LABELS [--out FOLDER], both of the IDX format";
    const Arguments arguments(count, given, {"--out"}, usage);
    if (arguments.files.size() != 2) fail(usage);
    const Plan plan = read_plan();
    const Images images = read_images(arguments.files[0], arguments.files[1], plan.rows, plan.columns, plan.classes);
    const std::string out = arguments.option("--out", "trained");
    refuse_existing(out);
    const bool own = are_those(plan, images, "trained");
    const std::vector<int64_t> trained =
        own ? plan.numbers("trained") : Generator({plan.seed, plan.purposes.at("training_images"), 0}).permuted(all_of(images));
    const size_t most = plan.has("labelling") ? plan.numbers("labelling").size() : 0;
    if (plan.labels_from == "labelling" && !own && images.count > most)
        fail(arguments.files[0] + ": " + std::to_string(most) + " images that label neurons were drawn among those of the run; "
             "of others they cannot be drawn here: give as many images at most, or export with --labels-from second_half");
    const std::vector<Block> blocks = schedule(plan, trained);
    std::vector<int64_t> kept_after = {static_cast<int64_t>(blocks.size())};
    if (own) kept_after = plan.numbers("snapshots");
    const std::vector<bool> labelling = labelling_responses(plan, blocks);
    size_t total = labelling.size(), seen = 0;
    std::printf("%s: %zu images%s, %zu presentations in %zu blocks\n", plan.name.c_str(), trained.size(),
                own ? " of the run's own" : ", others than the run's own", total, blocks.size());
    make_folder(out);
    for (const char* name : {"/blocks", "/snapshots", "/labelling"}) make_folder(out + name);

    Arrays state;
    for (const auto& entry : plan.tables)
        if (entry.first.rfind("initial/", 0) == 0) state[entry.first.substr(8)] = entry.second;
    const bool labelled = plan.labels_from != "none";
    const size_t neurons = labelled ? plan.populations.at(plan.labels_of) : 0;
    ClassMeans means(neurons, plan.classes);
    double seconds = 0;
    const Scratch scratch(out);
    for (size_t index = 0; index < blocks.size(); index++) {
        const Block& block = blocks[index];
        const Program& program = plan.program(plan.stages[block.stage].phase);
        const Block* const before = index ? &blocks[index - 1] : nullptr;
        const bool same = before && plan.stages[before->stage].phase == program.phase;
        if (!same) {
            if (before) change(plan, state, plan.handed_on);
            begin_phase(plan, program, state);
        } else if (before->passes.back() != block.passes.front()) {
            change(plan, state, plan.between);
        }
        const Samples samples{images, block.numbers, block.passes};
        const uint32_t seed = block_seed({plan.seed, plan.purposes.at("training_spikes"), index});
        Answers answers = show(plan, program, std::move(state), samples, seed, scratch);
        state = std::move(answers.state);
        seconds += answers.seconds;
        if (labelled && plan.labels_from != "labelling") {
            const uint16_t* const counts = answers.kept.at(plan.labels_of).data<uint16_t>();
            const size_t width = answers.kept.at(plan.labels_of).size() / samples.size();
            for (size_t k = 0; k < samples.size(); k++)
                if (labelling[seen + k]) means.add(counts + k * width, static_cast<size_t>(images.label(block.numbers[k])));
        }
        seen += samples.size();
        write_block(out + "/blocks", index, answers.kept);
        if (std::count(kept_after.begin(), kept_after.end(), static_cast<int64_t>(index + 1)))
            keep_snapshot(plan, state, out + "/snapshots", seen);
        std::printf("%zu of %zu presentations, %.1f s\n", seen, total, seconds);
        std::fflush(stdout);
    }
    const uint32_t state_crc = write_arrays(out + "/state", state);
    if (plan.labels_from == "labelling") {
        const Samples samples{images, own ? plan.numbers("labelling") : all_of(images), {}};
        ask(plan, "respond", "labelling_spikes", state, samples, out + "/labelling", [&](const Samples& part, const std::map<std::string, Array>& kept) {
            const size_t width = kept.at(plan.labels_of).size() / part.size();
            for (size_t k = 0; k < part.size(); k++)
                means.add(kept.at(plan.labels_of).data<uint16_t>() + k * width, static_cast<size_t>(images.label(part.numbers[k])));
        });
    }
    Arrays summary;
    summary["pixels_crc"] = one_number(images.pixels_crc);
    summary["labels_crc"] = one_number(images.labels_crc);
    summary["images"] = one_number(images.count);
    summary["blocks"] = one_number(blocks.size());
    summary["state_crc"] = one_number(state_crc);
    summary["seconds"] = array_of("<f8", std::vector<double>{seconds});
    summary["neuron_label"] = array_of("<i8", labelled ? means.labels() : std::vector<int64_t>());
    write_arrays(out + "/summary", summary);  // the last: what has one is whole
    std::printf("trained in %.1f s: %s\n", seconds, out.c_str());
    return 0;
}
