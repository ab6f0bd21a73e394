#include "app/original_config.hpp"

#include <algorithm>
#include <fstream>
#include <stdexcept>

#include <boost/json/serialize.hpp>
#include <boost/json/stream_parser.hpp>
#include <fmt/format.h>

#include "app/secrets.hpp"
#include "base/log.hpp"

namespace app {
namespace {

namespace json = boost::json;

template <class... Args>
[[noreturn]] void wrong(fmt::format_string<Args...> format, Args&&... args) {
    throw std::runtime_error(fmt::format(format, std::forward<Args>(args)...));
}

/// Without the byte order mark that some editors put in front.
std::string_view without_mark(std::string_view text) { return text.starts_with("\xEF\xBB\xBF") ? text.substr(3) : text; }

std::size_t line_at(std::string_view text, std::size_t offset) {
    return 1 + static_cast<std::size_t>(std::ranges::count(text.substr(0, offset), '\n'));
}

json::value parse(std::string_view text, const std::string& place) {
    json::stream_parser parser;
    boost::system::error_code malformed;
    const auto read = parser.write_some(text.data(), text.size(), malformed);
    if (!malformed && text.find_first_not_of(" \t\r\n", read) != text.npos)
        wrong("{}, line {}: more than one JSON value", place, line_at(text, read));
    if (!malformed) parser.finish(malformed);
    if (malformed) wrong("{}, line {}: not JSON ({})", place, line_at(text, read), malformed.message());
    return parser.release();
}

const json::object& object_at(const json::value& value, const std::string& place) {
    if (!value.is_object()) wrong("{} is an object", place);
    return value.get_object();
}

/// A text, or a number as one; nothing when it is not there.
std::optional<std::string> text_at(const json::object& object, std::string_view name, const std::string& place) {
    const auto* found = object.if_contains(name);
    if (!found || found->is_null()) return std::nullopt;
    if (found->is_string()) return std::string{found->get_string()};
    if (found->is_int64()) return std::to_string(found->get_int64());
    wrong("{}.{} is a text", place, name);
}

std::string needed_text(const json::object& object, std::string_view name, const std::string& place) {
    auto text = text_at(object, name, place);
    if (!text || text->empty()) wrong("{}.{} is missing", place, name);
    return *std::move(text);
}

/// The original handed its objects on to programs that ignore what they do not know. So do we, and say so. Gives the first such name.
std::optional<std::string> warn_of_unknown(const json::object& object, std::initializer_list<std::string_view> known,
                                           const std::string& before) {
    std::optional<std::string> first;
    for (const auto& [key, value] : object) {
        if (std::ranges::find(known, std::string_view{key}) != known.end()) continue;
        auto name = before + std::string{key};
        base::log::warn("at=setting_ignored setting={}", json::serialize(json::string{name}));
        if (!first) first = std::move(name);
    }
    return first;
}

/// libpq's keyword='value'.
void append(std::string& conninfo, std::string_view keyword, const std::optional<std::string>& value) {
    if (!value || value->empty()) return;
    conninfo += fmt::format("{}{}='", conninfo.empty() ? "" : " ", keyword);
    for (const char c : *value) {
        if (c == '\'' || c == '\\') conninfo += '\\';
        conninfo += c;
    }
    conninfo += '\'';
}

void check_port(const std::optional<std::string>& port, const std::string& place) {
    if (!port) return;
    const bool digits =
        !port->empty() && port->size() <= 5 && std::ranges::all_of(*port, [](char c) { return c >= '0' && c <= '9'; });
    if (!digits || std::stoi(*port) < 1 || std::stoi(*port) > 65'535) wrong("{} is a port: a number from 1 to 65535", place);
}

/// What node-postgres takes: `ssl` is true or false, also as a text, or "no-verify", or an object whose rejectUnauthorized says whether
/// the certificate is looked at.
std::optional<std::string> sslmode_of(const json::object& db, const std::string& place) {
    const auto* ssl = db.if_contains("ssl");
    if (!ssl || ssl->is_null()) return std::nullopt;
    if (ssl->is_string()) {
        const std::string_view text = ssl->get_string();
        if (text == "true" || text == "no-verify") return "require";
        if (text == "false" || text.empty()) return "disable";
    }
    if (ssl->is_bool()) return ssl->get_bool() ? "require" : "disable";
    if (ssl->is_object()) return "require";
    wrong("{}.ssl is true or false", place);
}

void read_database(const json::object& db, const std::string& place, Config& config) {
    const auto unknown = warn_of_unknown(db, {"host", "port", "user", "password", "database", "ssl", "connectionString"}, place + ".");
    if (auto url = text_at(db, "connectionString", place)) {
        config.database_url = *std::move(url);
        return;
    }
    const auto port = text_at(db, "port", place);
    check_port(port, place + ".port");
    std::string conninfo;
    append(conninfo, "host", text_at(db, "host", place));
    append(conninfo, "port", port);
    append(conninfo, "user", text_at(db, "user", place));
    append(conninfo, "password", text_at(db, "password", place));
    append(conninfo, "dbname", text_at(db, "database", place));
    append(conninfo, "sslmode", sslmode_of(db, place));
    if (conninfo.empty() && unknown) wrong("{} is not a setting that is known here", *unknown);
    if (conninfo.empty()) wrong("{} says no database", place);
    config.database_url = conninfo;
}

/// A table's operations on one channel come together.
void read_tables(const json::value& value, const std::string& place, Config& config) {
    if (!value.is_array() || value.get_array().empty()) wrong("{} is a list of tables", place);
    config.tables.clear();
    for (std::size_t i = 0; const auto& each : value.get_array()) {
        const auto where = fmt::format("{}[{}]", place, i++);
        const auto& entry = object_at(each, where);
        warn_of_unknown(entry, {"tablename", "ablychannelname", "operation"}, where + ".");
        TableConfig table{.table = needed_text(entry, "tablename", where),
                          .channel = needed_text(entry, "ablychannelname", where),
                          .operations = {}};
        if (const auto dot = table.table.find('.'); dot != table.table.npos) {
            table.schema = table.table.substr(0, dot);
            table.table = table.table.substr(dot + 1);
        }
        auto operation = needed_text(entry, "operation", where);
        std::ranges::transform(operation, operation.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
        if (operation != "insert" && operation != "update" && operation != "delete")
            wrong("{}.operation is INSERT, UPDATE or DELETE", where);
        const auto same = std::ranges::find_if(config.tables, [&](const TableConfig& other) {
            return other.schema == table.schema && other.table == table.table && other.channel == table.channel;
        });
        auto& target = same != config.tables.end() ? *same : config.tables.emplace_back(std::move(table));
        if (std::ranges::find(target.operations, operation) == target.operations.end()) target.operations.push_back(operation);
    }
}

}  // namespace

void read_original_json(std::string_view text, const std::string& file, Config& config) {
    const auto value = parse(without_mark(text), file);
    const auto& root = object_at(value, file);
    const auto needed = [&](std::string_view name) -> const json::value& {
        const auto* found = root.if_contains(name);
        if (!found) wrong("{}: \"{}\" is missing", file, name);
        return *found;
    };
    warn_of_unknown(root, {"dbConfig", "connector", "ably"}, file + ": ");
    read_database(object_at(needed("dbConfig"), file + ": dbConfig"), file + ": dbConfig", config);
    read_tables(needed("connector"), file + ": connector", config);
    const auto& ably = object_at(needed("ably"), file + ": ably");
    warn_of_unknown(ably, {"apiKey"}, file + ": ably.");
    config.endpoint.key = needed_text(ably, "apiKey", file + ": ably");
}

bool has_original_environment(const Variables& variables) {
    return std::ranges::any_of(std::initializer_list<const char*>{"DB_HOST", "DB_NAME", "DB_USER", "ABLY_CONNECTOR"},
                               [&](const char* name) { return variables(name).has_value(); });
}

void read_original_environment(const Variables& variables, Config& config) {
    const auto secret = [&](const std::string& name) {
        auto value = variables(name);
        if (const auto file = variables(name + "_FILE"); !value && file) value = read_secret(*file);
        return value;
    };
    const auto port = variables("DB_PORT");
    check_port(port, "DB_PORT");
    std::string conninfo;
    append(conninfo, "host", variables("DB_HOST"));
    append(conninfo, "port", port);
    append(conninfo, "user", variables("DB_USER"));
    append(conninfo, "password", secret("DB_PASSWORD"));
    append(conninfo, "dbname", variables("DB_NAME"));
    if (!conninfo.empty()) config.database_url = conninfo;
    if (const auto key = secret("ABLY_API_KEY")) config.endpoint.key = *key;
    if (const auto tables = variables("ABLY_CONNECTOR")) read_tables(parse(*tables, "ABLY_CONNECTOR"), "ABLY_CONNECTOR", config);
}

namespace {

/// Where a quoted value that begins at `at` ends: at the next such quote that has no backslash before it, else at the next one.
std::size_t closing_quote(std::string_view text, std::size_t at) {
    const char quote = text[at];
    const auto begin = at;
    for (++at; at < text.size() && text[at] != quote; ++at) {
        if (text[at] == '\\' && at + 1 < text.size() && text[at + 1] == quote) ++at;
    }
    return at < text.size() ? at : text.find(quote, begin + 1);
}

/// In double quotes, \n and \r are line ends.
std::string with_line_ends(std::string_view value) {
    std::string out;
    for (std::size_t i = 0; i < value.size(); ++i) {
        const char next = i + 1 < value.size() ? value[i + 1] : '\0';
        const bool is_end = value[i] == '\\' && (next == 'n' || next == 'r');
        out += !is_end ? value[i] : next == 'n' ? '\n' : '\r';
        if (is_end) ++i;
    }
    return out;
}

std::string trimmed(std::string_view value) {
    const auto last = value.find_last_not_of(" \t\r");
    return std::string{last == value.npos ? std::string_view{} : value.substr(0, last + 1)};
}

}  // namespace

std::map<std::string, std::string> read_env_file(std::string_view text, const std::string& file) {
    text = without_mark(text);
    std::map<std::string, std::string> variables;
    std::size_t at = 0, first_junk = 0;
    const auto skip = [&](std::string_view what) { at = std::min(text.find_first_not_of(what, at), text.size()); };
    const auto rest_of_line = [&] {
        const auto end = std::min(text.find('\n', at), text.size());
        const auto rest = text.substr(at, end - at);
        at = end;
        return rest;
    };
    const auto ignore = [&](std::size_t line) {  // what it says is not repeated: it may be a part of a secret
        base::log::warn("at=setting_ignored file={} line={} reason=\"not NAME=value\"", file, line);
        if (first_junk == 0) first_junk = line;
        rest_of_line();
    };
    for (skip(" \t\r\n"); at < text.size(); skip(" \t\r\n")) {
        const auto line = line_at(text, at);
        if (text[at] == '#') {
            rest_of_line();
            continue;
        }
        if (text.substr(at).starts_with("export ")) at += 7;
        skip(" \t");
        const auto begin = at;
        while (at < text.size() && (std::isalnum(static_cast<unsigned char>(text[at])) || std::string_view{"_.-"}.contains(text[at]))) ++at;
        const std::string name{text.substr(begin, at - begin)};
        skip(" \t");
        // dotenv takes NAME: value too, with a space behind.
        const bool with_equals = text.substr(at).starts_with('='), with_colon = text.substr(at).starts_with(": ");
        if (name.empty() || (!with_equals && !with_colon)) {
            ignore(line);
            continue;
        }
        ++at;
        skip(" \t");
        const char quote = at < text.size() ? text[at] : '\n';
        if (quote != '"' && quote != '\'' && quote != '`') {
            const auto rest = rest_of_line();
            variables[name] = trimmed(rest.substr(0, std::min(rest.find(" #"), rest.size())));
            continue;
        }
        const auto end = closing_quote(text, at);
        if (end == text.npos) wrong("{}, line {}: the quote is not closed", file, line);
        const auto value = text.substr(at + 1, end - at - 1);
        variables[name] = quote == '"' ? with_line_ends(value) : std::string{value};
        at = end + 1;
        const auto rest = trimmed(rest_of_line());
        if (const auto first = rest.find_first_not_of(" \t"); first != rest.npos && rest[first] != '#') {
            wrong("{}, line {}: there is something behind the quoted value", file, line);
        }
    }
    if (variables.empty() && first_junk != 0) wrong("{}, line {}: not NAME=value", file, first_junk);
    return variables;
}

std::string read_secret(const std::string& file) {
    check_secret_file(file);
    std::ifstream in{file};
    std::string line;
    if (!std::getline(in, line) || line.empty()) wrong("{}: cannot be read, or is empty", file);
    if (line.ends_with('\r')) line.pop_back();
    return line;
}

}  // namespace app
