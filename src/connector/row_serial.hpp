#pragma once

#include <span>
#include <string>
#include <string_view>

namespace connector {

struct KeyPart {
    std::string_view text;  // as Postgres writes it
    bool is_integer = false;
};

/// The serial of the message that is a row: a function of its table and its primary key, so that it is the same for every change of
/// the row, in any process, however long ago it was inserted. Integer keys sort as numbers. Grammar in docs/formats.md.
std::string row_serial(std::string_view schema, std::string_view table, std::span<const KeyPart> key);

}  // namespace connector
