// Named arrays in files: the layout is that of the project's block files, which its compiled programs read and write.
#ifndef HEBBARIUM_ARRAYS_H
#define HEBBARIUM_ARRAYS_H

#include "block_io.h"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <fstream>
#include <utility>
#include <vector>

[[noreturn]] inline void fail(const std::string& what) {
    std::fprintf(stderr, "%s\n", what.c_str());
    std::exit(1);
}

// Numbers of one type, which is written as NumPy does: "<f4", "<i8", "|b1".
struct Array {
    std::string type;
    std::vector<char> bytes;

    size_t width() const { return static_cast<size_t>(type.back() - '0'); }
    size_t size() const { return bytes.size() / width(); }
    template <class T> T* data() { return reinterpret_cast<T*>(bytes.data()); }
    template <class T> const T* data() const { return reinterpret_cast<const T*>(bytes.data()); }
};

using Arrays = std::map<std::string, Array>;

inline bool known_type(const std::string& type) {
    static const char* const known[] = {"<f4", "<f8", "<i4", "<i8", "<u2", "<u4", "|b1", "|i1", "|u1"};
    for (const char* one : known)
        if (type == one) return true;
    return false;
}

template <class T> Array array_of(const std::string& type, const std::vector<T>& values) {
    Array array{type, std::vector<char>(values.size() * sizeof(T))};
    if (!values.empty()) std::memcpy(array.bytes.data(), values.data(), array.bytes.size());
    return array;
}

// Call a function with the first element of an array, as a pointer of its type.
template <class Function> void with_data(const Array& array, const Function& function) {
    if (array.type == "<f4") function(array.data<float>());
    else if (array.type == "<f8") function(array.data<double>());
    else if (array.type == "<i4") function(array.data<int32_t>());
    else if (array.type == "<i8") function(array.data<int64_t>());
    else if (array.type == "<u2") function(array.data<uint16_t>());
    else if (array.type == "<u4") function(array.data<uint32_t>());
    else if (array.type == "|i1") function(array.data<int8_t>());
    else function(array.data<uint8_t>());
}

template <class To> Array converted_to(const Array& array, const std::string& type) {
    Array result{type, std::vector<char>(array.size() * sizeof(To))};
    with_data(array, [&](const auto* from) {
        To* const to = result.data<To>();
        for (size_t k = 0; k < array.size(); k++) to[k] = static_cast<To>(from[k]);
    });
    return result;
}

// The same numbers in another type, by C++'s rules of conversion; a truth is whether a number is not zero.
inline Array converted(const Array& array, const std::string& type) {
    if (array.type == type) return array;
    if (type == "<f4") return converted_to<float>(array, type);
    if (type == "<f8") return converted_to<double>(array, type);
    if (type == "<i4") return converted_to<int32_t>(array, type);
    if (type == "<i8") return converted_to<int64_t>(array, type);
    if (type == "|b1") {
        Array result{type, std::vector<char>(array.size())};
        with_data(array, [&](const auto* from) {
            for (size_t k = 0; k < array.size(); k++) result.bytes[k] = from[k] != 0;
        });
        return result;
    }
    fail("numbers of type " + array.type + " cannot be brought to type " + type);
}

inline std::vector<char> whole_file(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) fail(path + ": cannot be opened (" + std::strerror(errno) + ")");
    std::vector<char> bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    if (file.bad()) fail(path + ": cannot be read");
    return bytes;
}

inline bool is_there(const std::string& path) {
    struct stat status;
    return stat(path.c_str(), &status) == 0;
}

inline uint32_t crc_of(const void* data, size_t size) {
    block_io::Crc sum;
    sum.add(data, size);
    return sum.value();
}

inline Arrays read_arrays(const std::string& path) {
    const std::vector<char> bytes = whole_file(path);
    const std::string damaged = path + ": is truncated or damaged; export the project anew";
    if (bytes.size() < 16 || std::memcmp(bytes.data(), "HEBBLOCK", 8) != 0) fail(damaged);
    const size_t end = bytes.size() - 4;
    uint32_t crc;
    std::memcpy(&crc, bytes.data() + end, 4);
    if (crc_of(bytes.data(), end) != crc) fail(damaged);
    size_t at = 8;
    const auto take = [&](void* to, size_t size) {
        if (size > end - at) fail(damaged);
        std::memcpy(to, bytes.data() + at, size);
        at += size;
    };
    const auto text = [&]() {
        uint32_t length;
        take(&length, 4);
        if (length > end - at) fail(damaged);
        const std::string value(bytes.data() + at, length);
        at += length;
        return value;
    };
    uint32_t count;
    take(&count, 4);
    Arrays arrays;
    for (uint32_t k = 0; k < count; k++) {
        const std::string name = text();
        Array array{text(), {}};
        uint64_t size;
        take(&size, 8);
        if (size > end - at || !known_type(array.type) || size % array.width() != 0) fail(damaged);
        array.bytes.assign(bytes.data() + at, bytes.data() + at + size);
        at += size;
        arrays[name] = std::move(array);
    }
    if (at != end) fail(damaged);
    return arrays;
}

// Write a file whole or not at all; returns the checksum at its end.
inline uint32_t write_arrays(const std::string& path, const std::vector<std::pair<std::string, const Array*>>& arrays) {
    const std::string temporary = path + ".tmp";
    FILE* const file = std::fopen(temporary.c_str(), "wb");
    if (!file) fail(temporary + ": cannot be opened for writing (" + std::strerror(errno) + ")");
    block_io::Crc sum;
    const auto put = [&](const void* data, size_t size) {
        if (size > 0 && std::fwrite(data, 1, size, file) != size)
            fail(temporary + ": cannot be written (" + std::strerror(errno) + ")");
        sum.add(data, size);
    };
    const auto text = [&](const std::string& value) {
        const uint32_t length = static_cast<uint32_t>(value.size());
        put(&length, 4);
        put(value.data(), length);
    };
    const uint32_t count = static_cast<uint32_t>(arrays.size());
    put("HEBBLOCK", 8);
    put(&count, 4);
    for (const auto& entry : arrays) {
        text(entry.first);
        text(entry.second->type);
        const uint64_t size = entry.second->bytes.size();
        put(&size, 8);
        put(entry.second->bytes.data(), size);
    }
    const uint32_t crc = sum.value();
    if (std::fwrite(&crc, 1, 4, file) != 4 || std::fflush(file) != 0 || fsync(fileno(file)) != 0 || std::fclose(file) != 0)
        fail(temporary + ": cannot be written (" + std::strerror(errno) + ")");
    if (std::rename(temporary.c_str(), path.c_str()) != 0) fail(path + ": cannot be renamed (" + std::strerror(errno) + ")");
    return crc;
}

inline uint32_t write_arrays(const std::string& path, const Arrays& arrays) {
    std::vector<std::pair<std::string, const Array*>> entries;
    for (const auto& entry : arrays) entries.emplace_back(entry.first, &entry.second);
    return write_arrays(path, entries);
}

inline void make_folder(const std::string& path) {
    if (mkdir(path.c_str(), 0777) != 0 && errno != EEXIST)
        fail(path + ": cannot be made (" + std::strerror(errno) + ")");
}

#endif
