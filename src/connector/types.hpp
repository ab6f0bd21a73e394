#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace connector {

/// The types of a database, as its catalogue describes them: the one table that the stream's rows and the snapshot's are read by.
/// Shared, immutable once it is complete (TypesPtr).
class Types {
public:
    enum class Kind : std::uint8_t { text, domain, array, composite, hstore };
    struct Field {
        std::string name;
        std::uint32_t type = 0;
    };
    struct Type {
        Kind kind = Kind::text;
        std::uint32_t of = 0;         // of a domain the type below it, of an array its elements'
        char delimiter = ',';         // between an array's elements
        std::vector<Field> fields{};  // a composite's, in order
    };

    void add(std::uint32_t oid, Type type) { types_.insert_or_assign(oid, std::move(type)); }
    const Type* find(std::uint32_t oid) const {
        const auto found = types_.find(oid);
        return found == types_.end() ? nullptr : &found->second;
    }
    /// Whether the catalogue was asked about it, or need not be: the oids of Postgres's own types are the same everywhere.
    bool knows(std::uint32_t oid) const { return oid < first_not_fixed || types_.contains(oid); }
    /// The type itself, or the one at the bottom of a domain.
    std::uint32_t read_as(std::uint32_t oid) const {
        for (const auto* type = find(oid); type && type->kind == Kind::domain; type = find(oid)) oid = type->of;
        return oid;
    }

private:
    static constexpr std::uint32_t first_not_fixed = 10'000;  // FirstGenbkiObjectId in access/transam.h
    std::unordered_map<std::uint32_t, Type> types_;
};
using TypesPtr = std::shared_ptr<const Types>;

}  // namespace connector
