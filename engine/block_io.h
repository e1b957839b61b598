// How a compiled program takes a block's inputs and hands back its results; see engine/block_file.py for the layout.
// Any doubt ends the program with a message and exit code 3: a wrong array must never go unnoticed.
#ifndef HEBBARIUM_BLOCK_IO_H
#define HEBBARIUM_BLOCK_IO_H

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <map>
#include <csignal>
#include <string>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace block_io {

// Be killed when the process that started this program ends; nothing may go on unwatched.
inline void die_with_parent() {
    const char* parent = std::getenv("HEBBARIUM_PARENT");
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (parent && std::to_string(getppid()) != parent) std::exit(3);  // it ended before this was asked for
}

[[noreturn]] inline void fail(const std::string& what) {
    std::fprintf(stderr, "block: %s\n", what.c_str());
    std::exit(3);
}

// CRC-32 (IEEE 802.3) as zlib computes it, sixteen bytes at a time.
class Crc {
    static const int width_ = 16;
    uint32_t table_[width_][256];
    uint32_t value_ = 0xFFFFFFFFu;

  public:
    Crc() {
        for (uint32_t n = 0; n < 256; n++) {
            uint32_t c = n;
            for (int k = 0; k < 8; k++) c = c & 1 ? 0xEDB88320u ^ (c >> 1) : c >> 1;
            table_[0][n] = c;
        }
        for (uint32_t n = 0; n < 256; n++)
            for (int k = 1; k < width_; k++) table_[k][n] = table_[0][table_[k - 1][n] & 0xFF] ^ (table_[k - 1][n] >> 8);
    }
    void add(const void* data, size_t size) {
        const unsigned char* p = static_cast<const unsigned char*>(data);
        uint32_t c = value_;
        for (; size >= width_; size -= width_, p += width_) {
            uint32_t words[width_/4], next = 0;
            std::memcpy(words, p, width_);
            words[0] ^= c;
            for (int w = 0; w < width_/4; w++) {
                const uint32_t* const from = table_[0] + 256*(width_ - 4*(w + 1));
                next ^= from[3*256 + (words[w] & 0xFF)] ^ from[2*256 + ((words[w] >> 8) & 0xFF)] ^
                    from[256 + ((words[w] >> 16) & 0xFF)] ^ from[words[w] >> 24];
            }
            c = next;
        }
        for (; size > 0; size--, p++) c = table_[0][(c ^ *p) & 0xFF] ^ (c >> 8);
        value_ = c;
    }
    uint32_t value() const { return value_ ^ 0xFFFFFFFFu; }
};

class Inputs {
    struct Entry {
        std::string type;
        size_t offset, size;
        bool used;
    };
    const char* data_;
    size_t length_;
    std::map<std::string, Entry> entries_;
    std::string path_;

    template <class T> T take(size_t& at) {
        T value;
        if (at + sizeof(T) > length_) fail(path_ + ": truncated");
        std::memcpy(&value, data_ + at, sizeof(T));
        at += sizeof(T);
        return value;
    }
    std::string text(size_t& at) {
        const uint32_t length = take<uint32_t>(at);
        if (at + length > length_) fail(path_ + ": truncated");
        std::string value(data_ + at, length);
        at += length;
        return value;
    }

    Entry& found(const std::string& name, const std::string& type) {
        std::map<std::string, Entry>::iterator place = entries_.find(name);
        if (place == entries_.end()) fail(path_ + ": '" + name + "' is missing");
        if (place->second.type != type)
            fail(path_ + ": '" + name + "' is of type " + place->second.type + ", expected " + type);
        return place->second;
    }

  public:
    uint32_t crc = 0;

    explicit Inputs(const std::string& folder) : path_(folder + "/inputs") {
        const int file = open(path_.c_str(), O_RDONLY);
        if (file < 0) fail(path_ + ": cannot be opened");
        struct stat status;
        if (fstat(file, &status) != 0) fail(path_ + ": cannot be read");
        length_ = status.st_size;
        if (length_ < 16) fail(path_ + ": truncated");
        // pages of the file itself, all at once: nothing is copied before it is where the program wants it
        void* const pages = mmap(NULL, length_, PROT_READ, MAP_PRIVATE | MAP_POPULATE, file, 0);
        if (pages == MAP_FAILED) fail(path_ + ": cannot be read");
        close(file);
        data_ = static_cast<const char*>(pages);
        Crc sum;
        sum.add(data_, length_ - 4);
        std::memcpy(&crc, data_ + length_ - 4, 4);
        if (sum.value() != crc || std::memcmp(data_, "HEBBLOCK", 8) != 0) fail(path_ + ": truncated or damaged");
        size_t at = 8;
        const uint32_t count = take<uint32_t>(at);
        for (uint32_t k = 0; k < count; k++) {
            const std::string name = text(at);
            Entry entry;
            entry.type = text(at);
            entry.size = take<uint64_t>(at);
            entry.offset = at;
            entry.used = false;
            at += entry.size;
            if (at > length_) fail(path_ + ": truncated");
            entries_[name] = entry;
        }
    }

    // Copy an array of which the first `size` bytes or fewer may be given (a block shorter than its capacity).
    void copy(const std::string& name, const std::string& type, void* to, size_t size, bool may_be_shorter) {
        Entry& entry = found(name, type);
        if (entry.size > size || (entry.size < size && !may_be_shorter))
            fail(path_ + ": '" + name + "' has " + std::to_string(entry.size) + " bytes, expected " + std::to_string(size));
        if (entry.size > 0) std::memcpy(to, data_ + entry.offset, entry.size);
        entry.used = true;
    }
    // Copy numbers that may have been sent in single precision, to halve what is written and read.
    void copy_numbers(const std::string& name, const std::string& type, double* to, size_t count) {
        if (type == "<f8") return copy(name, type, to, count * sizeof(double), true);
        Entry& entry = found(name, type);
        if (entry.size > count * sizeof(float))
            fail(path_ + ": '" + name + "' has " + std::to_string(entry.size) + " bytes, expected at most " +
                 std::to_string(count * sizeof(float)));
        for (size_t k = 0; k < entry.size / sizeof(float); k++) {
            float value;
            std::memcpy(&value, data_ + entry.offset + k * sizeof(float), sizeof(float));
            to[k] = value;
        }
        entry.used = true;
    }
    template <class T> T scalar(const std::string& name, const std::string& type) {
        T value;
        copy(name, type, &value, sizeof(T), false);
        return value;
    }
    void expect_all_used() const {
        for (std::map<std::string, Entry>::const_iterator e = entries_.begin(); e != entries_.end(); ++e)
            if (!e->second.used) fail(path_ + ": '" + e->first + "' is not known to this program");
    }
};

class Results {
    std::string final_, temporary_;
    FILE* file_;
    Crc sum_;

    void put(const void* data, size_t size) {
        if (size > 0 && std::fwrite(data, 1, size, file_) != size) fail(temporary_ + ": cannot be written (is the disk full?)");
        sum_.add(data, size);
    }
    void text(const std::string& value) {
        const uint32_t length = value.size();
        put(&length, sizeof(length));
        put(value.data(), length);
    }

  public:
    Results(const std::string& folder, uint32_t count) : final_(folder + "/results"), temporary_(folder + "/results.tmp") {
        file_ = std::fopen(temporary_.c_str(), "wb");
        if (!file_) fail(temporary_ + ": cannot be opened for writing");
        put("HEBBLOCK", 8);
        put(&count, sizeof(count));
    }
    void array(const std::string& name, const std::string& type, const void* data, size_t size) {
        text(name);
        text(type);
        const uint64_t bytes = size;
        put(&bytes, sizeof(bytes));
        put(data, size);
    }
    void finish() {
        const uint32_t crc = sum_.value();
        if (std::fwrite(&crc, 1, 4, file_) != 4 || std::fflush(file_) != 0 || std::fclose(file_) != 0)
            fail(temporary_ + ": cannot be written (is the disk full?)");
        if (std::rename(temporary_.c_str(), final_.c_str()) != 0) fail(final_ + ": cannot be renamed");
    }
};

inline std::string folder() {
    const char* name = std::getenv("HEBBARIUM_BLOCK");
    if (!name) fail("HEBBARIUM_BLOCK names no folder: this program is run by hebbarium, or with a folder that holds 'inputs'");
    return name;
}

}  // namespace block_io

#endif
