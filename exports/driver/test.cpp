// Labels images by a trained network: ./test IMAGES [LABELS] [--of FOLDER] [--out FOLDER]
#include "frozen.h"

int main(int count, char** given) {
    const std::string usage = "usage: ./test IMAGES [LABELS] [--of FOLDER] [--out FOLDER], both of the IDX format";
    const Arguments arguments(count, given, {"--of", "--out"}, usage);
    if (arguments.files.empty() || arguments.files.size() > 2) fail(usage);
    const Plan plan = read_plan();
    const std::string labels_file = arguments.files.size() > 1 ? arguments.files[1] : "";
    const Images images = read_images(arguments.files[0], labels_file, plan.rows, plan.columns, plan.classes);
    const std::string of = arguments.option("--of", "trained"), out = arguments.option("--out", "answers");
    refuse_existing(out);

    Arrays state, summary;
    uint32_t state_crc = 0;
    if (is_there(of + "/summary")) {
        state = read_arrays(of + "/state");
        summary = read_arrays(of + "/summary");
        state_crc = static_cast<uint32_t>(result_of(summary, "state_crc", "<i8").data<int64_t>()[0]);
    } else if (arguments.options.count("--of") || !is_there("state")) {
        fail(of + ": holds nothing that is trained; run ./train first, or name its folder: --of FOLDER");
    } else {
        std::printf("the network as it was exported, since there is no %s/\n", of.c_str());
        state = read_arrays("state");
        summary["neuron_label"] = plan.table("neuron_label");
    }
    const Array& stored = result_of(summary, "neuron_label", "<i8");
    const std::vector<int64_t> neuron_label(stored.data<int64_t>(), stored.data<int64_t>() + stored.size());
    if (plan.labels_from != "none" && neuron_label.size() != plan.populations.at(plan.labels_of))
        fail(of + "/summary: labels " + std::to_string(neuron_label.size()) + " neurons, of " + std::to_string(plan.populations.at(plan.labels_of)));

    const bool own = are_those(plan, images, "tested");
    const Samples samples{images, own ? plan.numbers("tested") : all_of(images), {}};
    make_folder(out);
    make_folder(out + "/blocks");
    std::vector<size_t> right(plan.readouts.size());
    size_t asked = 0;
    FILE* const table = std::fopen((out + "/predictions.csv").c_str(), "w");
    if (!table) fail(out + "/predictions.csv: cannot be written (" + std::strerror(errno) + ")");
    std::fprintf(table, "image%s", images.labelled ? ",label" : "");
    for (const Readout& readout : plan.readouts) std::fprintf(table, ",%s", readout.name.c_str());
    std::fprintf(table, "\n");
    ask(plan, "test", "test_spikes", state, samples, out + "/blocks", [&](const Samples& part, const std::map<std::string, Array>& kept) {
        for (size_t k = 0; k < part.size(); k++) {
            const int64_t truth = images.labelled ? images.label(part.numbers[k]) : no_class;
            std::fprintf(table, "%lld", static_cast<long long>(part.numbers[k]));
            if (images.labelled) std::fprintf(table, ",%lld", static_cast<long long>(truth));
            for (size_t r = 0; r < plan.readouts.size(); r++) {
                const int64_t said = answer(plan.readouts[r], kept, neuron_label, k, part.size(), truth);
                right[r] += images.labelled && said == truth;
                std::fprintf(table, ",%lld", static_cast<long long>(said));
            }
            std::fprintf(table, "\n");
        }
        asked += part.size();
        std::printf("%zu of %zu images\n", asked, samples.size());
        std::fflush(stdout);
    });
    if (std::fflush(table) != 0 || std::fclose(table) != 0) fail(out + "/predictions.csv: cannot be written");
    Arrays made;
    made["pixels_crc"] = one_number(images.pixels_crc);
    made["images"] = one_number(images.count);
    made["state_crc"] = one_number(state_crc);
    write_arrays(out + "/summary", made);  // the last: what has one is whole
    for (size_t r = 0; r < plan.readouts.size() && images.labelled; r++)
        std::printf("accuracy (%s): %.2f %% of %zu images%s\n", plan.readouts[r].name.c_str(),
                    100.0 * static_cast<double>(right[r]) / static_cast<double>(samples.size()), samples.size(),
                    own ? " of the run's own" : "");
    std::printf("predictions: %s/predictions.csv\n", out.c_str());
    return 0;
}
