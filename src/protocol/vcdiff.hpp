#pragma once

#include <string>
#include <string_view>

namespace protocol {

/// What turns `base` into `target`, in VCDIFF (RFC 3284): one window over the whole base, the default code table, no secondary
/// compression and no checksum, as the decoders of Ably's SDKs want it. Takes time and memory linear in the sizes of both, whatever
/// is in them. Not smaller than `target` when they have little in common. Both are shorter than 1 GiB.
std::string vcdiff_encode(std::string_view base, std::string_view target);

}  // namespace protocol
