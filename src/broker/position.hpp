#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace broker {

/// A place in the write-ahead log: the change's transaction by its commit LSN, and the change within it, from 1.
/// A pure function of the WAL, so reading it again gives the same places (D3). {0, 0} is before every change.
struct WalPlace {
    std::uint64_t commit_lsn = 0;
    std::uint32_t index = 0;
    friend auto operator<=>(const WalPlace&, const WalPlace&) = default;
};

/// Where an entry stands in its channel. Entries that came from a database name their place in the WAL, which outlives any
/// process; whatever a process sequenced itself (a client's publish, presence) stands after the last such place, by the
/// process's epoch (its start, in ms) and a counter from 1. Positions increase within a channel.
struct Position {
    WalPlace wal;
    std::uint64_t epoch = 0;
    std::uint64_t count = 0;
    friend auto operator<=>(const Position&, const Position&) = default;
};

/// The channelSerial (TR4c, RTL15b). Grammar in docs/formats.md; texts of one channel sort as their positions do.
///   serial := 'm' own | 'w' lsn:hex16 '-' index:hex8 [ '+' own ]      own := epoch:hex11 '-' count:hex10
std::string to_serial(const Position& position);
std::optional<Position> parse_serial(std::string_view serial);

/// The id of a change's message: lsn:hex16 '-' index:hex8.
std::string to_id(const WalPlace& place);

}  // namespace broker
