#include "broker/annotation_summary.hpp"

#include <algorithm>
#include <numeric>
#include <optional>

#include "base/limits.hpp"
#include "protocol/error_codes.hpp"
#include "protocol/json_writer.hpp"

namespace broker {
namespace {

using base::ErrorCode;
using base::fail;
using protocol::Annotation;
using protocol::AnnotationAction;
using protocol::JsonWriter;

enum class Method : std::uint8_t { total, flag, distinct, unique, multiple };

std::optional<Method> method_of(std::string_view type) {
    const auto colon = type.rfind(':');
    if (colon == type.npos || colon == 0) return std::nullopt;
    const auto name = type.substr(colon + 1);
    if (name == "total.v1") return Method::total;
    if (name == "flag.v1") return Method::flag;
    if (name == "distinct.v1") return Method::distinct;
    if (name == "unique.v1") return Method::unique;
    if (name == "multiple.v1") return Method::multiple;
    return std::nullopt;
}

bool goes_by_name(Method method) { return method != Method::total && method != Method::flag; }

std::int64_t sum(const auto& counts) {
    return std::accumulate(counts.begin(), counts.end(), std::int64_t{0}, [](auto total, const auto& each) { return total + each.second; });
}

void member(JsonWriter& out, std::string_view name, std::size_t number) {
    out.key(name);
    out.number(static_cast<std::int64_t>(number));
}

/// {"total":2,"clientIds":["a","b"],"clipped":false}
void write_clients(JsonWriter& out, const auto& counts) {
    out.object([&] {
        member(out, "total", counts.size());
        out.key("clientIds");
        out.array([&] {
            std::size_t told = 0;
            for (const auto& [client, count] : counts) {
                if (told++ == base::limits::annotation_clients_told_max) break;
                out.element();
                out.text(client);
            }
        });
        out.key("clipped");
        out.boolean(counts.size() > base::limits::annotation_clients_told_max);
    });
}

/// {"total":5,"clientIds":{"a":3},"totalUnidentified":2,"clipped":false,"totalClientIds":1}
void write_counts(JsonWriter& out, const auto& counts) {
    const auto unidentified = counts.find("");
    const auto clients = counts.size() - (unidentified == counts.end() ? 0 : 1);
    out.object([&] {
        out.key("total");
        out.number(sum(counts));
        out.key("clientIds");
        out.object([&] {
            std::size_t told = 0;
            for (const auto& [client, count] : counts) {
                if (client.empty()) continue;
                if (told++ == base::limits::annotation_clients_told_max) break;
                out.key(client);
                out.number(count);
            }
        });
        out.key("totalUnidentified");
        out.number(unidentified == counts.end() ? 0 : unidentified->second);
        out.key("clipped");
        out.boolean(clients > base::limits::annotation_clients_told_max);
        member(out, "totalClientIds", clients);
    });
}

}  // namespace

base::Result<void> AnnotationSummary::check(const Annotation& annotation) {
    const auto method = method_of(annotation.type);
    if (!method) {
        return fail(ErrorCode::bad_request, "An annotation's type ends with :total.v1, :flag.v1, :distinct.v1, :unique.v1 or :multiple.v1");
    }
    const bool takes_back = annotation.action == AnnotationAction::remove;
    const bool needs_name = goes_by_name(*method) && !(takes_back && *method == Method::unique);
    if (needs_name && annotation.name.empty()) return fail(ErrorCode::bad_request, "An annotation of type {} has a name", annotation.type);
    const bool counts_clients = *method != Method::total && (*method != Method::multiple || takes_back);
    if (counts_clients && annotation.client_id.empty()) {
        return fail(ErrorCode::identified_client_needed, "An annotation of type {} needs a clientId", annotation.type);
    }
    if (annotation.count && (*annotation.count < 1 || *annotation.count > base::limits::annotation_count_max)) {
        return fail(ErrorCode::bad_request, "An annotation's count is 1 to {}", base::limits::annotation_count_max);
    }
    return {};
}

void AnnotationSummary::apply(const Annotation& annotation) {
    const auto method = *method_of(annotation.type);
    const bool takes_back = annotation.action == AnnotationAction::remove;
    auto& names = types_[annotation.type];
    const auto name = goes_by_name(method) ? annotation.name : "";
    const auto client = method == Method::total ? "" : annotation.client_id;
    if (method == Method::unique) {
        for (auto& [other, counts] : names) counts.erase(client);
    }
    auto& counts = names[name];
    if (method == Method::total && takes_back) --counts[client];
    else if (takes_back) counts.erase(client);
    else if (method == Method::total) ++counts[client];
    else if (method == Method::multiple) counts[client] += annotation.count.value_or(1);
    else counts[client] = 1;
    std::erase_if(counts, [](const auto& each) { return each.second <= 0; });
    std::erase_if(names, [](const auto& each) { return each.second.empty(); });
    if (names.empty()) types_.erase(annotation.type);
}

std::size_t AnnotationSummary::size() const {
    std::size_t size = 0;
    for (const auto& [type, names] : types_) {
        for (const auto& [name, counts] : names) size += counts.size();
    }
    return size;
}

std::string AnnotationSummary::to_json() const {
    std::string json;
    JsonWriter out{json};
    out.object([&] {
        out.key("summary");
        out.object([&] {
            for (const auto& [type, names] : types_) {
                const auto method = *method_of(type);
                out.key(type);
                if (method == Method::total)
                    out.object([&] { member(out, "total", static_cast<std::size_t>(sum(names.begin()->second))); });
                else if (method == Method::flag) write_clients(out, names.begin()->second);
                else out.object([&] {
                    for (const auto& [name, counts] : names) {
                        out.key(name);
                        method == Method::multiple ? write_counts(out, counts) : write_clients(out, counts);
                    }
                });
            }
        });
    });
    return json;
}

}  // namespace broker
