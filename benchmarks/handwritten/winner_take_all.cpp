// Winner-take-all network with STDP, threshold adaptation and synaptic scaling, written by hand.
//
// The network is that of Touda and Okuno, "Effects of Introducing Synaptic Scaling on Spiking Neural
// Network Learning". It serves two ends: a yardstick for generated code, and a fast way to compare readings
// of what the paper leaves open. What the paper states is a constant or a default below; every open choice
// is an option.
//
// Build:  g++ -O3 -march=native -ffast-math -std=c++17 winner_take_all.cpp -o winner_take_all
// Use:    ./winner_take_all images=IMAGES train=ORDER test=ORDER out=PREFIX [option=value ...]
//
// IMAGES  bytes, one after another, 784 to an image
// ORDER   int32 image numbers, in the order of presentation
// PREFIX  receives PREFIX.train, .label and .test (uint16 spike counts, presentation x neuron),
//         PREFIX.weights (float32, 784 x neurons) and PREFIX.theta (float32, mV)
//
// One step of 1 ms, in the default order:
//   1. membrane potentials advance by exponential Euler with the conductances from the step's start;
//      conductances, traces and adaptive thresholds decay exactly
//   2. neurons above threshold and past their refractory period spike
//   3. input spikes raise g_e by w / tau_s and depress w by A_- y
//   4. excitatory spikes potentiate w by A_+ x and drive their inhibitory partner; inhibitory spikes raise
//      g_i of every other excitatory neuron
//   5. spiking neurons reset; theta, x and y jump

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

constexpr int kPixels = 784;

// Command-line options of the form name=value; unknown names are an error.
class Options {
  public:
    Options(int argc, char **argv) {
        for (int i = 1; i < argc; ++i) {
            const std::string argument = argv[i];
            const auto equals = argument.find('=');
            if (equals == std::string::npos) throw std::runtime_error("expected name=value, got '" + argument + "'");
            given_[argument.substr(0, equals)] = argument.substr(equals + 1);
        }
    }
    std::string text(const std::string &name, const std::string &fallback) {
        const auto found = given_.find(name);
        if (found == given_.end()) return fallback;
        used_[name] = true;
        return found->second;
    }
    std::string required(const std::string &name) {
        const std::string value = text(name, "");
        if (value.empty()) throw std::runtime_error("missing option " + name + "=...");
        return value;
    }
    // One of the words listed, as its position.
    int choice(const std::string &name, const std::vector<std::string> &words) {
        const std::string value = text(name, words[0]);
        const auto found = std::find(words.begin(), words.end(), value);
        if (found == words.end()) throw std::runtime_error(name + " does not know '" + value + "'");
        return int(found - words.begin());
    }
    float number(const std::string &name, float fallback) {
        const std::string value = text(name, "");
        return value.empty() ? fallback : std::stof(value);
    }
    int integer(const std::string &name, int fallback) {
        const std::string value = text(name, "");
        return value.empty() ? fallback : std::stoi(value);
    }
    void refuse_unknown() const {
        for (const auto &[name, value] : given_)
            if (!used_.count(name)) throw std::runtime_error("unknown option " + name + "=" + value);
    }

  private:
    std::map<std::string, std::string> given_;
    std::map<std::string, bool> used_;
};

enum Coding { kSummedRate, kRaw, kBinarySummed, kBinaryRaw };
enum Scaling { kAtImage, kAtPostSpike, kEachStep, kNoScaling };
enum TestTheta { kZero, kFrozen, kAdapting, kZeroAdapting };
enum Bounds { kHard, kSoftUpper, kSoft };

struct Parameters {
    // Table I and II, Section IV: stated.
    float e_l = -60, v_theta0 = -40, e_e = 0, e_i = -80;   // mV
    float tau_m_e = 30, tau_m_i = 5, tau_s = 20;           // ms
    float tau_theta = 2e5f, alpha = 0.11f;                 // ms, mV
    int n, norm, train_ms, test_ms;
    float a_plus, a_minus, tau_p, w_t;
    // Not stated.
    int coding, scaling, test_theta, bounds;
    float rate;            // Hz: of all pixels together (summed), or of a white pixel (raw)
    float gain;            // g_e += gain * w / tau_s
    float e_to_i, i_to_e;  // jumps of conductance
    float w_max;           // 0: unbounded
    float trace_norm;      // 0: traces jump by 1; c: by c / tau_p
    int delay_input, delay_e_to_i;
    int refractory_e, refractory_i;  // steps from a spike to the next integrated step
    bool integrate_refractory, euler, synapses_first, same_step_pairs, stdp_per_image, clip_scaled, nearest_post,
        nearest_pre, all_rows, scale_first, reset_conductances, reset_traces, theta_reset, scale_before_update;
    float theta_max;
    int seed, label_images, label_ms;

    explicit Parameters(Options &o) {
        n = o.integer("n", 100);
        norm = o.integer("norm", 2);
        train_ms = o.integer("train_ms", 150);
        test_ms = o.integer("test_ms", 500);
        a_plus = o.number("a_plus", 0.005f);
        a_minus = o.number("a_minus", 0.0025f);
        tau_p = o.number("tau_p", 60);
        w_t = o.number("w_t", 9);
        alpha = o.number("alpha", alpha);
        tau_theta = o.number("tau_theta", tau_theta);
        coding = o.choice("coding", {"summed", "raw", "binary_summed", "binary_raw"});
        scaling = o.choice("scaling", {"image", "spike", "step", "none"});
        test_theta = o.choice("test_theta", {"zero", "frozen", "adapting", "zero_adapting"});
        bounds = o.choice("bounds", {"hard", "soft_upper", "soft"});
        rate = o.number("rate", 4900);
        gain = o.number("gain", 1);
        e_to_i = o.number("e_to_i", 2);
        i_to_e = o.number("i_to_e", 0.4545f);
        w_max = o.number("w_max", 1);
        trace_norm = o.number("trace_norm", 0);
        delay_input = o.integer("delay_input", 0);
        delay_e_to_i = o.integer("delay_e_to_i", 0);
        refractory_e = o.integer("refractory_e", 2);
        refractory_i = o.integer("refractory_i", 5);
        integrate_refractory = o.integer("integrate_refractory", 0);
        euler = o.integer("euler", 0);
        synapses_first = o.integer("synapses_first", 0);
        same_step_pairs = o.integer("same_step_pairs", 0);
        stdp_per_image = o.integer("stdp_per_image", 0);
        clip_scaled = o.integer("clip_scaled", 0);
        nearest_post = o.integer("nearest_post", 0);
        nearest_pre = o.integer("nearest_pre", 0);
        all_rows = o.integer("all_rows", 0);
        scale_first = o.integer("scale_first", 1);
        reset_conductances = o.integer("reset_conductances", 1);
        reset_traces = o.integer("reset_traces", 1);
        theta_reset = o.integer("theta_reset", 0);
        scale_before_update = o.integer("scale_before_update", 0);
        theta_max = o.number("theta_max", 0);
        seed = o.integer("seed", 0);
        label_images = o.integer("label_images", 0);
        label_ms = o.integer("label_ms", 150);
    }
};

// xoshiro128+ seeded by splitmix64; 24 random bits to a float.
class Random {
  public:
    explicit Random(uint64_t seed) {
        for (auto &word : s_) {
            seed += 0x9e3779b97f4a7c15ull;
            uint64_t z = seed;
            z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
            z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
            word = uint32_t((z ^ (z >> 31)) >> 16);
        }
    }
    float uniform() {  // in (0, 1]
        const uint32_t result = s_[0] + s_[3], t = s_[1] << 9;
        s_[2] ^= s_[0];
        s_[3] ^= s_[1];
        s_[1] ^= s_[2];
        s_[0] ^= s_[3];
        s_[2] ^= t;
        s_[3] = (s_[3] << 11) | (s_[3] >> 21);
        return float((result >> 8) + 1) * 0x1p-24f;
    }

  private:
    uint32_t s_[4];
};

class Network {
  public:
    explicit Network(const Parameters &p)
        : p_(p), n_(p.n), width_((p.n + 15) / 16 * 16), random_(uint64_t(p.seed) * 2 + 1),
          w_(size_t(kPixels) * width_), dw_(p.stdp_per_image ? w_.size() : 0), v_(width_), g_e_(width_), g_i_(width_),
          theta_(width_), y_(width_), ready_(width_), factor_(width_), v_i_(width_), g_ei_(width_),
          ready_i_(width_), x_(kPixels), x_time_(kPixels), pixel_(kPixels),
          delayed_(p.delay_e_to_i + 1) {
        // Padding columns keep zero weights, so they never spike.
        for (int i = 0; i < kPixels; ++i)
            for (int j = 0; j < n_; ++j) w_[size_t(i) * width_ + j] = random_.uniform();
        decay_s_ = p.euler ? 1 - 1 / p.tau_s : std::exp(-1 / p.tau_s);
        decay_p_ = p.euler ? 1 - 1 / p.tau_p : std::exp(-1 / p.tau_p);
        decay_theta_ = std::exp(-1 / p.tau_theta);
        jump_p_ = p.trace_norm > 0 ? p.trace_norm / p.tau_p : 1;
        decay_power_.resize(2048);
        for (size_t k = 0; k < decay_power_.size(); ++k) decay_power_[k] = std::pow(decay_p_, float(k));
        bound_ = p.w_max > 0 ? p.w_max : 1e30f;
    }

    // Shows one image for so many ms; adds the excitatory spikes of each neuron to `count`.
    void present(const uint8_t *image, int ms, bool learn, uint16_t *count) {
        learn_ = learn;
        if (learn && p_.scaling == kAtImage && !p_.scale_before_update && (p_.scale_first || presented_)) scale_all();
        switch_image();
        draw_input(image, ms);
        for (int t = 0; t < ms; ++t, ++now_) {
            if (p_.synapses_first) {
                decay_excitation();
                deliver_input(t);
                integrate_excitatory();
                spike(count);
                decay_inhibitory_input();
                drive_inhibitory();
                decay_inhibition();
                integrate_inhibitory();
            } else {
                integrate_excitatory();
                integrate_inhibitory_potential();
                decay_excitation();
                decay_inhibition();
                decay_inhibitory_input();
                deliver_input(t);
                spike(count);
                drive_inhibitory();
                spike_inhibitory();
            }
            if (learn && p_.scaling == kEachStep) scale_all();
        }
        if (learn && p_.stdp_per_image) apply_update();
        if (learn) ++presented_;
    }

    void scale_all() {
        std::fill(factor_.begin(), factor_.end(), 0.f);
        float *__restrict f = factor_.data();
        for (int i = 0; i < kPixels; ++i) {
            const float *__restrict row = &w_[size_t(i) * width_];
            if (p_.norm == 1)
                for (int j = 0; j < width_; ++j) f[j] += std::fabs(row[j]);
            else
                for (int j = 0; j < width_; ++j) f[j] += row[j] * row[j];
        }
        for (int j = 0; j < width_; ++j) {
            const float norm = p_.norm == 1 ? f[j] : std::sqrt(f[j]);
            f[j] = norm > 0 ? p_.w_t / norm : 0;
        }
        const float top = p_.clip_scaled ? bound_ : 1e30f;
        for (int i = 0; i < kPixels; ++i) {
            float *__restrict row = &w_[size_t(i) * width_];
            for (int j = 0; j < width_; ++j) row[j] = std::min(row[j] * f[j], top);
        }
    }

    // From here on nothing learns; theta as the option says.
    void begin_test() {
        if (p_.test_theta == kZero || p_.test_theta == kZeroAdapting) std::fill(theta_.begin(), theta_.end(), 0.f);
    }
    std::vector<float> theta() const { return {theta_.begin(), theta_.begin() + n_}; }
    void restore_theta(const std::vector<float> &theta) { std::copy(theta.begin(), theta.end(), theta_.begin()); }
    std::vector<float> weights() const {
        std::vector<float> w;
        for (int i = 0; i < kPixels; ++i) w.insert(w.end(), &w_[size_t(i) * width_], &w_[size_t(i) * width_] + n_);
        return w;
    }

  private:
    bool theta_moves() const { return learn_ || p_.test_theta == kAdapting || p_.test_theta == kZeroAdapting; }

    void switch_image() {
        std::fill(v_.begin(), v_.end(), p_.e_l);
        std::fill(v_i_.begin(), v_i_.end(), p_.e_l);
        if (p_.reset_conductances) {
            std::fill(g_e_.begin(), g_e_.end(), 0.f);
            std::fill(g_i_.begin(), g_i_.end(), 0.f);
            std::fill(g_ei_.begin(), g_ei_.end(), 0.f);
            for (auto &slot : delayed_) slot.clear();
        }
        if (p_.reset_traces) {
            std::fill(x_.begin(), x_.end(), 0.f);
            std::fill(y_.begin(), y_.end(), 0.f);
        }
        if (p_.theta_reset || (!learn_ && p_.test_theta == kZeroAdapting))
            std::fill(theta_.begin(), theta_.end(), 0.f);
        std::fill(ready_.begin(), ready_.end(), now_);
        std::fill(ready_i_.begin(), ready_i_.end(), now_);
    }

    // A Bernoulli trial each step is drawn as geometric intervals; input_[t] lists the pixels that spike.
    void draw_input(const uint8_t *image, int ms) {
        if (int(input_.size()) < ms) input_.resize(ms);
        for (int t = 0; t < ms; ++t) input_[t].clear();
        const bool binary = p_.coding == kBinarySummed || p_.coding == kBinaryRaw;
        float sum = 0;
        for (int i = 0; i < kPixels; ++i) {
            pixel_[i] = binary ? float(image[i] > 127) : image[i] / 255.f;
            sum += pixel_[i];
        }
        const bool summed = p_.coding == kSummedRate || p_.coding == kBinarySummed;
        const float scale = (summed ? (sum > 0 ? p_.rate / sum : 0) : p_.rate) * 1e-3f;
        active_.clear();
        for (int i = 0; i < kPixels; ++i) {
            const float probability = pixel_[i] * scale;
            if (probability <= 0) continue;
            active_.push_back(i);
            if (probability >= 1) {
                for (int t = 0; t < ms; ++t) input_[t].push_back(i);
                continue;
            }
            const float inverse = 1 / std::log1p(-probability);
            for (float t = std::floor(std::log(random_.uniform()) * inverse); t < ms;
                 t += 1 + std::floor(std::log(random_.uniform()) * inverse))
                input_[int(t)].push_back(i);
        }
        if (!p_.reset_traces || p_.all_rows) {
            active_.resize(kPixels);
            for (int i = 0; i < kPixels; ++i) active_[i] = i;
        }
    }

    void integrate_excitatory() {
        float *__restrict v = v_.data();
        const float *__restrict g_e = g_e_.data(), *__restrict g_i = g_i_.data();
        const int *__restrict ready = ready_.data();
        const int now = now_;
        const bool always = p_.integrate_refractory;
        for (int j = 0; j < width_; ++j) {
            const float leak = 1 + g_e[j] + g_i[j];
            const float drive = p_.e_l + g_e[j] * p_.e_e + g_i[j] * p_.e_i;
            const float next = p_.euler ? v[j] + (drive - leak * v[j]) / p_.tau_m_e
                                        : drive / leak + (v[j] - drive / leak) * std::exp(-leak / p_.tau_m_e);
            v[j] = (always || now >= ready[j]) ? next : v[j];
        }
        float *__restrict theta = theta_.data();
        if (theta_moves())
            for (int j = 0; j < width_; ++j) theta[j] *= decay_theta_;
        float *__restrict y = y_.data();
        if (learn_)
            for (int j = 0; j < width_; ++j) y[j] *= decay_p_;
    }

    void decay_excitation() {
        float *__restrict g = g_e_.data();
        for (int j = 0; j < width_; ++j) g[j] *= decay_s_;
    }
    void decay_inhibition() {
        float *__restrict g = g_i_.data();
        for (int j = 0; j < width_; ++j) g[j] *= decay_s_;
    }
    void decay_inhibitory_input() {
        float *__restrict g = g_ei_.data();
        for (int j = 0; j < width_; ++j) g[j] *= decay_s_;
    }

    void deliver_input(int t) {
        const float jump = p_.gain / p_.tau_s;
        if (t >= p_.delay_input)
            for (const int i : input_[t - p_.delay_input]) {
                const float *__restrict w = &w_[size_t(i) * width_];
                float *__restrict g = g_e_.data();
                for (int j = 0; j < width_; ++j) g[j] += jump * w[j];
            }
        if (!learn_) return;
        for (const int i : input_[t]) {
            const float *__restrict y = y_.data();
            if (p_.stdp_per_image) {
                float *__restrict dw = &dw_[size_t(i) * width_];
                const float *__restrict w = &w_[size_t(i) * width_];
                if (p_.bounds == kSoft)
                    for (int j = 0; j < width_; ++j) dw[j] -= p_.a_minus * y[j] * w[j];
                else
                    for (int j = 0; j < width_; ++j) dw[j] -= p_.a_minus * y[j];
            } else {
                float *__restrict w = &w_[size_t(i) * width_];
                if (p_.bounds == kSoft)
                    for (int j = 0; j < width_; ++j) w[j] -= p_.a_minus * y[j] * w[j];
                else
                    for (int j = 0; j < width_; ++j)
                        w[j] = std::min(std::max(w[j] - p_.a_minus * y[j], 0.f), bound_);
            }
            if (p_.same_step_pairs) raise_trace(i);
        }
        if (!p_.same_step_pairs) fresh_ = &input_[t];
    }

    void raise_trace(int i) {
        x_[i] = (p_.nearest_pre ? 0 : trace(i)) + jump_p_;
        x_time_[i] = now_;
    }
    float trace(int i) const {
        const int age = now_ - x_time_[i];
        return age < int(decay_power_.size()) ? x_[i] * decay_power_[age] : 0;
    }

    // Neurons that answer yes, in order: sixteen are asked at once.
    template <class Question> void list(std::vector<int> &spikes, const Question &fires) {
        spikes.clear();
        for (int begin = 0; begin < width_; begin += 16) {
            int any = 0;
            for (int j = begin; j < begin + 16; ++j) any |= fires(j);
            if (any)
                for (int j = begin; j < std::min(begin + 16, n_); ++j)
                    if (fires(j)) spikes.push_back(j);
        }
    }

    void spike(uint16_t *count) {
        const float *__restrict v = v_.data(), *__restrict theta = theta_.data();
        const int *__restrict ready = ready_.data();
        const float v_theta0 = p_.v_theta0;
        const int now = now_;
        list(spikes_, [=](int j) { return int(v[j] > v_theta0 + theta[j]) & int(now >= ready[j]); });
        if (learn_ && !spikes_.empty()) potentiate();
        if (learn_ && fresh_) {
            for (const int i : *fresh_) raise_trace(i);
            fresh_ = nullptr;
        }
        for (const int j : spikes_) {
            ++count[j];
            v_[j] = p_.e_l;
            ready_[j] = now_ + p_.refractory_e;
            if (theta_moves()) {
                theta_[j] += p_.alpha;
                if (p_.theta_max > 0) theta_[j] = std::min(theta_[j], p_.theta_max);
            }
            y_[j] = p_.nearest_post ? jump_p_ : y_[j] + jump_p_;
            if (learn_ && p_.scaling == kAtPostSpike) scale_one(j);
        }
    }

    void potentiate() {
        for (const int i : active_) {
            const float x = trace(i) * p_.a_plus;
            float *w = &w_[size_t(i) * width_];
            if (p_.stdp_per_image) {
                float *dw = &dw_[size_t(i) * width_];
                for (const int j : spikes_) dw[j] += p_.bounds == kHard ? x : x * (bound_ - w[j]);
            } else {
                for (const int j : spikes_)
                    w[j] = p_.bounds == kHard ? std::min(w[j] + x, bound_) : w[j] + x * (bound_ - w[j]);
            }
        }
    }

    void apply_update() {
        if (p_.scale_before_update && p_.scaling == kAtImage) scale_all();
        for (size_t k = 0; k < w_.size(); ++k) w_[k] = std::min(std::max(w_[k] + dw_[k], 0.f), bound_);
        std::fill(dw_.begin(), dw_.end(), 0.f);
    }

    void scale_one(int j) {
        float sum = 0;
        for (int i = 0; i < kPixels; ++i) {
            const float w = w_[size_t(i) * width_ + j];
            sum += p_.norm == 1 ? std::fabs(w) : w * w;
        }
        const float norm = p_.norm == 1 ? sum : std::sqrt(sum);
        const float f = norm > 0 ? p_.w_t / norm : 0;
        const float top = p_.clip_scaled ? bound_ : 1e30f;
        for (int i = 0; i < kPixels; ++i) {
            float &w = w_[size_t(i) * width_ + j];
            w = std::min(w * f, top);
        }
    }

    void drive_inhibitory() {
        auto &slot = delayed_[now_ % delayed_.size()];
        slot = spikes_;
        for (const int j : delayed_[(now_ + 1) % delayed_.size()]) g_ei_[j] += p_.e_to_i;
    }

    void integrate_inhibitory_potential() {
        float *__restrict v = v_i_.data();
        const float *__restrict g = g_ei_.data();
        const int *__restrict ready = ready_i_.data();
        const int now = now_;
        for (int j = 0; j < width_; ++j) {
            const float leak = 1 + g[j];
            const float drive = p_.e_l + g[j] * p_.e_e;
            const float next = p_.euler ? v[j] + (drive - leak * v[j]) / p_.tau_m_i
                                        : drive / leak + (v[j] - drive / leak) * std::exp(-leak / p_.tau_m_i);
            v[j] = now >= ready[j] ? next : v[j];
        }
    }

    // All-to-all but one's own: every neuron gets the total, less its partner's share.
    void spike_inhibitory() {
        const float *__restrict v = v_i_.data();
        const int *__restrict ready = ready_i_.data();
        const float v_theta0 = p_.v_theta0;
        const int now = now_;
        list(inhibitory_spikes_, [=](int j) { return int(v[j] > v_theta0) & int(now >= ready[j]); });
        if (inhibitory_spikes_.empty()) return;
        const float total = p_.i_to_e * float(inhibitory_spikes_.size());
        float *__restrict g = g_i_.data();
        for (int j = 0; j < width_; ++j) g[j] += total;
        for (const int j : inhibitory_spikes_) {
            g_i_[j] -= p_.i_to_e;
            v_i_[j] = p_.e_l;
            ready_i_[j] = now_ + p_.refractory_i;
        }
    }

    void integrate_inhibitory() {
        integrate_inhibitory_potential();
        spike_inhibitory();
    }

    const Parameters p_;
    const int n_, width_;  // width: neurons padded to whole vectors
    Random random_;
    std::vector<float> w_, dw_, v_, g_e_, g_i_, theta_, y_;
    std::vector<int> ready_;
    std::vector<float> factor_, v_i_, g_ei_;
    std::vector<int> ready_i_;
    std::vector<float> x_;
    std::vector<int> x_time_;
    std::vector<float> pixel_;
    std::vector<std::vector<int>> delayed_, input_;
    std::vector<int> active_, spikes_, inhibitory_spikes_;
    const std::vector<int> *fresh_ = nullptr;
    std::vector<float> decay_power_;
    float decay_s_, decay_p_, decay_theta_, jump_p_, bound_;
    bool learn_ = false;
    int now_ = 0;
    long presented_ = 0;
};

template <class T> std::vector<T> read_file(const std::string &path) {
    std::ifstream file(path, std::ios::binary | std::ios::ate);
    if (!file) throw std::runtime_error("cannot read " + path);
    std::vector<T> data(size_t(file.tellg()) / sizeof(T));
    file.seekg(0);
    file.read(reinterpret_cast<char *>(data.data()), std::streamsize(data.size() * sizeof(T)));
    return data;
}

template <class T> void write_file(const std::string &path, const std::vector<T> &data) {
    std::ofstream file(path, std::ios::binary);
    file.write(reinterpret_cast<const char *>(data.data()), std::streamsize(data.size() * sizeof(T)));
    if (!file) throw std::runtime_error("cannot write " + path);
}

std::vector<uint16_t> present_all(Network &network, const std::vector<uint8_t> &images,
                                  const std::vector<int32_t> &order, size_t how_many, int n, int ms, bool learn) {
    std::vector<uint16_t> counts(how_many * size_t(n));
    for (size_t k = 0; k < how_many; ++k)
        network.present(&images[size_t(order[k]) * kPixels], ms, learn, &counts[k * size_t(n)]);
    return counts;
}

void run(Options &options) {
    const auto images = read_file<uint8_t>(options.required("images"));
    const auto train = read_file<int32_t>(options.required("train"));
    const auto test = read_file<int32_t>(options.required("test"));
    const std::string out = options.required("out");
    const Parameters p(options);
    options.refuse_unknown();

    Network network(p);
    const auto start = std::chrono::steady_clock::now();
    write_file(out + ".train", present_all(network, images, train, train.size(), p.n, p.train_ms, true));
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    std::printf("%.4f ms an image in training\n", 1e3 * seconds.count() / double(train.size()));
    if (p.scaling == kAtImage) network.scale_all();
    write_file(out + ".weights", network.weights());
    write_file(out + ".theta", network.theta());

    const auto trained = network.theta();
    network.begin_test();
    const size_t labelled = std::min(size_t(p.label_images), train.size());
    write_file(out + ".label", present_all(network, images, train, labelled, p.n, p.label_ms, false));
    network.restore_theta(trained);
    network.begin_test();
    write_file(out + ".test", present_all(network, images, test, test.size(), p.n, p.test_ms, false));
}

}  // namespace

int main(int argc, char **argv) {
    try {
        Options options(argc, argv);
        run(options);
    } catch (const std::exception &error) {
        std::fprintf(stderr, "winner_take_all: %s\n", error.what());
        return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}
