// Images and labels in files of the IDX format, which are not compressed.
#ifndef HEBBARIUM_IMAGES_H
#define HEBBARIUM_IMAGES_H

#include "arrays.h"

struct IdxFile {
    std::vector<size_t> shape;
    std::vector<char> content;
    size_t start;

    const uint8_t* bytes() const { return reinterpret_cast<const uint8_t*>(content.data()) + start; }
    size_t size() const { return content.size() - start; }
};

inline IdxFile read_idx(const std::string& path, size_t dimensions) {
    IdxFile file{{}, whole_file(path), 4 + 4 * dimensions};
    const uint8_t* const head = reinterpret_cast<const uint8_t*>(file.content.data());
    if (file.content.size() >= 2 && head[0] == 0x1f && head[1] == 0x8b)
        fail(path + ": is compressed; unpack it first: gunzip " + path);
    if (file.content.size() < file.start || head[0] != 0 || head[1] != 0 || head[2] != 8 || head[3] != dimensions)
        fail(path + ": is no IDX file of unsigned bytes with " + std::to_string(dimensions) + " dimension(s)");
    size_t expected = 1;
    for (size_t k = 0; k < dimensions; k++) {
        size_t length = 0;
        for (size_t byte = 0; byte < 4; byte++) length = length << 8 | head[4 + 4 * k + byte];
        file.shape.push_back(length);
        if (length && expected > (size_t{1} << 40) / length) fail(path + ": its header announces too much");
        expected *= length;
    }
    if (file.size() != expected)
        fail(path + ": its header announces " + std::to_string(expected) + " bytes, it holds " + std::to_string(file.size()));
    return file;
}

struct Images {
    size_t count = 0, pixels = 0;
    IdxFile pixel_file, label_file;
    bool labelled = false;
    uint32_t pixels_crc = 0, labels_crc = 0;

    const uint8_t* image(size_t number) const { return pixel_file.bytes() + number * pixels; }
    int64_t label(size_t number) const { return labelled ? label_file.bytes()[number] : 0; }
};

// Images of a given size, with their labels if a file of these is named.
inline Images read_images(const std::string& path, const std::string& labels, size_t rows, size_t columns, size_t classes) {
    Images images;
    images.pixel_file = read_idx(path, 3);
    const std::vector<size_t>& shape = images.pixel_file.shape;
    if (shape[1] != rows || shape[2] != columns)
        fail(path + ": holds images of " + std::to_string(shape[1]) + " x " + std::to_string(shape[2]) +
             " pixels; the network was made for " + std::to_string(rows) + " x " + std::to_string(columns));
    images.count = shape[0];
    images.pixels = rows * columns;
    if (!images.count) fail(path + ": holds no images");
    images.pixels_crc = crc_of(images.pixel_file.bytes(), images.pixel_file.size());
    if (labels.empty()) return images;
    images.label_file = read_idx(labels, 1);
    if (images.label_file.size() != images.count)
        fail(labels + ": holds " + std::to_string(images.label_file.size()) + " labels for " + std::to_string(images.count) +
             " images");
    for (size_t k = 0; k < images.count; k++)
        if (images.label_file.bytes()[k] >= classes)
            fail(labels + ": label " + std::to_string(images.label_file.bytes()[k]) + " of image " + std::to_string(k) +
                 "; expected 0 to " + std::to_string(classes - 1));
    images.labelled = true;
    images.labels_crc = crc_of(images.label_file.bytes(), images.label_file.size());
    return images;
}

#endif
