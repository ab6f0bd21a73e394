// Checks what a compiler does not: that the sources keep to the house rules. Usage: tidy_test SOURCE_ROOT
// Prints each violation as file:line: text, and exits 1 if there is one.

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace fs = std::filesystem;

namespace {

constexpr std::size_t columns_max = 140;

struct Source {
    fs::path path;       // below the root: src/net/shard.cpp
    std::string folder;  // of src/: "net"; empty for src/main.cpp and for tests/
    std::string text;
    std::string code;    // the text with comments and the insides of literals blanked, so that offsets are the same
    std::vector<std::string> lines;
};

std::size_t violations = 0;

void report(const Source& source, std::size_t line, std::string_view text) {
    std::cout << source.path.string() << ':' << line << ": " << text << '\n';
    ++violations;
}

std::size_t line_at(const Source& source, std::size_t offset) {
    return 1 + static_cast<std::size_t>(
                   std::count(source.text.begin(), source.text.begin() + static_cast<std::ptrdiff_t>(offset), '\n'));
}

std::string read_file(const fs::path& path) {
    std::ifstream in{path, std::ios::binary};
    return {std::istreambuf_iterator<char>{in}, {}};
}

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; }

/// Where a literal or comment that starts at `at` ends; `at` when none starts there.
std::size_t end_of_opaque(std::string_view text, std::size_t at) {
    const auto until = [&](std::string_view mark, std::size_t from) {
        const auto found = text.find(mark, from);
        return found == text.npos ? text.size() : found + mark.size();
    };
    const auto rest = text.substr(at);
    if (rest.starts_with("//")) return std::min(text.find('\n', at), text.size());
    if (rest.starts_with("/*")) return until("*/", at + 2);
    if (rest.starts_with("R\"") && (at == 0 || !is_word(text[at - 1]))) {
        const auto open = text.find('(', at);
        if (open == text.npos) return text.size();
        return until(")" + std::string{text.substr(at + 2, open - at - 2)} + "\"", open);
    }
    const char quote = text[at];
    const bool separates_digits = quote == '\'' && at > 0 && std::isxdigit(static_cast<unsigned char>(text[at - 1]));
    if ((quote != '"' && quote != '\'') || separates_digits) return at;
    for (++at; at < text.size() && text[at] != quote; ++at) {
        if (text[at] == '\\') ++at;
    }
    return std::min(at + 1, text.size());
}

std::string code_of(const std::string& text) {
    std::string code = text;
    for (std::size_t at = 0; at < text.size();) {
        const auto end = end_of_opaque(text, at);
        for (auto blank = at; blank < end; ++blank) {
            if (code[blank] != '\n') code[blank] = ' ';
        }
        at = std::max(end, at + 1);
    }
    return code;
}

std::vector<Source> read_sources(const fs::path& root) {
    std::vector<Source> sources;
    for (const char* top : {"src", "tests"}) {
        if (!fs::exists(root / top)) continue;
        for (const auto& entry : fs::recursive_directory_iterator(root / top)) {
            const auto extension = entry.path().extension();
            if (!entry.is_regular_file() || (extension != ".cpp" && extension != ".hpp")) continue;
            if (entry.path().string().find("/node_modules/") != std::string::npos) continue;
            Source source{
                .path = fs::relative(entry.path(), root), .folder = {}, .text = read_file(entry.path()), .code = {}, .lines = {}};
            const std::vector<fs::path> parts{source.path.begin(), source.path.end()};
            if (parts.front() == "src" && parts.size() > 2) source.folder = parts[1].string();
            source.code = code_of(source.text);
            std::istringstream lines{source.text};
            for (std::string line; std::getline(lines, line);) source.lines.push_back(line);
            sources.push_back(std::move(source));
        }
    }
    std::ranges::sort(sources, {}, &Source::path);
    return sources;
}

using Folders = std::map<std::string, std::set<std::string>>;

/// What each folder of src/ may include, by DEPENDS of its CMakeLists.txt and of those it names.
Folders read_folders(const fs::path& root) {
    Folders folders;
    for (const auto& entry : fs::directory_iterator(root / "src")) {
        if (!fs::exists(entry.path() / "CMakeLists.txt")) continue;
        auto& depends = folders[entry.path().filename().string()];
        std::smatch list;
        auto cmake = read_file(entry.path() / "CMakeLists.txt");
        cmake.erase(0, cmake.find("palimpsest_library("));
        if (!std::regex_search(cmake, list, std::regex{R"(\bDEPENDS\s+([a-z0-9_\s]*))"})) continue;
        std::istringstream words{list[1].str()};
        for (std::string word; words >> word;) depends.insert(word);
    }
    for (std::size_t round = 0; round < folders.size(); ++round) {
        for (auto& [name, depends] : folders) {
            for (const auto& direct : std::set{depends}) depends.insert(folders[direct].begin(), folders[direct].end());
        }
    }
    return folders;
}

struct Include {
    std::size_t line;
    bool quoted;
    std::string path;
};

std::vector<Include> includes_of(const Source& source) {
    static const std::regex directive{R"(^\s*#\s*include\s*([<"])([^>"]+)[>"])"};
    std::vector<Include> includes;
    for (std::size_t i = 0; i < source.lines.size(); ++i) {
        std::smatch match;
        if (std::regex_search(source.lines[i], match, directive)) includes.push_back({i + 1, match[1] == "\"", match[2]});
    }
    return includes;
}

void check_includes(const Source& source, const Folders& folders) {
    const auto includes = includes_of(source);
    for (const auto& [line, quoted, path] : includes) {
        const bool in_src = *source.path.begin() == "src";
        if (path == "libpq-fe.h" && in_src && source.folder != "postgres") report(source, line, "only src/postgres includes libpq-fe.h");
        if (path.starts_with("curl/") && in_src && source.folder != "rest") report(source, line, "only src/rest includes curl");
        const auto slash = path.find('/');
        if (!quoted || source.folder.empty() || source.folder == "app" || slash == path.npos) continue;
        const auto folder = path.substr(0, slash);
        const auto allowed = folders.find(source.folder);
        if (folder == source.folder || (allowed != folders.end() && allowed->second.contains(folder))) continue;
        report(source, line, "src/" + source.folder + "/CMakeLists.txt does not say DEPENDS " + folder);
    }
}

void check_own_header(const Source& source, const fs::path& root) {
    auto header = source.path;
    header.replace_extension(".hpp");
    if (source.folder.empty() || source.path.extension() != ".cpp" || !fs::exists(root / header)) return;
    const auto own = fs::relative(header, "src").string();
    const auto includes = includes_of(source);
    if (includes.empty() || includes.front().path != own)
        report(source, includes.empty() ? 1 : includes.front().line, "its own header, " + own + ", comes first");
}

void check_header(const Source& source) {
    if (source.path.extension() == ".hpp" && !source.text.starts_with("#pragma once\n"))
        report(source, 1, "a header starts with #pragma once");
}

/// Is the `level`th parenthesis around `at`, from the inside, that of an if, while, switch or for?
bool is_condition(std::string_view code, std::size_t at, int level) {
    while (at > 0 && level > 0) {
        --at;
        if (code[at] == ')') ++level;
        if (code[at] == '(') --level;
    }
    while (at > 0 && std::isspace(static_cast<unsigned char>(code[at - 1]))) --at;
    auto start = at;
    while (start > 0 && is_word(code[start - 1])) --start;
    const auto word = code.substr(start, at - start);
    return word == "if" || word == "while" || word == "switch" || word == "for" || word == "constexpr";
}

/// g++ 12.2 destroys twice what a braced temporary, a capturing lambda or a ?: makes inside a co_await expression.
void check_co_await(const Source& source) {
    const std::string_view code = source.code, keyword = "co_await";
    for (auto start = code.find(keyword); start != code.npos; start = code.find(keyword, start + 1)) {
        auto at = start + keyword.size();
        if ((start > 0 && is_word(code[start - 1])) || is_word(code[at])) continue;
        int depth = 0, left_behind = 0;  // parentheses opened since, and those around the co_await closed since
        for (; at < code.size() && code[at] != ';'; ++at) {
            if (code[at] == '(') ++depth;
            if (code[at] == ')' && --depth < 0) {
                if (is_condition(code, start, ++left_behind)) break;
                depth = 0;
            }
            auto before = at;
            while (before > 0 && std::isspace(static_cast<unsigned char>(code[before - 1]))) --before;
            const char left = before > 0 ? code[before - 1] : ' ';
            const bool lambda = code[at] == '[' && !is_word(left) && left != ')' && left != ']' && !code.substr(at).starts_with("[]");
            if (code[at] != '{' && code[at] != '?' && !lambda) continue;
            report(source, line_at(source, at),
                   std::string{"'"} + code[at] + "' inside a co_await expression: name it, then await it");
            break;
        }
    }
}

void check_columns(const Source& source) {
    if (*source.path.begin() != "src") return;
    for (std::size_t i = 0; i < source.lines.size(); ++i) {
        const auto columns =
            std::ranges::count_if(source.lines[i], [](unsigned char byte) { return (byte & 0xc0) != 0x80; });  // of UTF-8
        if (static_cast<std::size_t>(columns) > columns_max) report(source, i + 1, std::to_string(columns) + " columns");
    }
}

void check_promises(const Source& source) {
    static const std::regex promise{R"(\b(TO)" R"(DO|FIX)" R"(ME|XX)" R"(X|HA)" R"(CK)\b)"};  // in pieces, not to find itself
    for (std::size_t i = 0; i < source.lines.size(); ++i) {
        std::smatch match;
        if (std::regex_search(source.lines[i], match, promise)) report(source, i + 1, match.str() + ": do it, or write down why not");
    }
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2 || !fs::exists(fs::path{argv[1]} / "src")) {
        std::cerr << "usage: tidy_test SOURCE_ROOT\n";
        return 2;
    }
    const fs::path root{argv[1]};
    const auto folders = read_folders(root);
    const auto sources = read_sources(root);
    for (const auto& source : sources) {
        check_includes(source, folders);
        check_own_header(source, root);
        check_header(source);
        check_co_await(source);
        check_columns(source);
        check_promises(source);
    }
    std::cout << sources.size() << " files, " << violations << " violations\n";
    return violations == 0 && !sources.empty() ? 0 : 1;
}
