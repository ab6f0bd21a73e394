#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "protocol/error_codes.hpp"

namespace postgres {

/// Bytes that are put away in order and then read once, in order: in memory and, from spill() on, before that in a file without a
/// name, which is gone with the object. Reads and writes the file at once, without waiting for a disk to have it.
class Spool {
public:
    explicit Spool(std::filesystem::path folder) : folder_(std::move(folder)) {}
    ~Spool();
    Spool(Spool&& other) noexcept;
    Spool& operator=(Spool&&) = delete;

    void append(std::string_view bytes) { memory_ += bytes; }
    std::size_t bytes_in_memory() const { return memory_.size(); }
    /// All of the memory goes to the file. Error: unavailable, with the folder and what is wrong with it; nothing is lost.
    base::Result<void> spill();

    /// The next `count` bytes, or fewer at the end; valid until the next call. After the last append.
    base::Result<std::string_view> read(std::size_t count);

private:
    base::Result<void> open();
    base::Result<void> refill(std::size_t count);

    std::filesystem::path folder_;
    int file_ = -1;
    std::size_t written_ = 0, read_ = 0;  // of the file
    std::string memory_;                  // what comes behind the file's
    std::string block_;                   // being read
    std::size_t at_ = 0;                  // in block_
};

/// Where such files go: $TMPDIR, or /var/tmp, which is a disk even where /tmp is memory.
std::filesystem::path spool_folder();

}  // namespace postgres
