#pragma once

#include <cstddef>

#include <boost/container_hash/hash.hpp>
#include <boost/unordered/unordered_flat_set.hpp>

#include "broker/broker.hpp"

namespace broker {

/// The entries of a channel whose publishers gave them an id, by who said it (Said). Every publish looks here and finds nothing of it in
/// a cache, so that a slot is small: an entry and its hash; what it was said as stands in its message. Shard-owned.
class SaidIndex {
public:
    /// Null when it was not said before.
    EntryPtr find(const Said& said) const {
        if (entries_.empty()) return nullptr;
        const auto found = entries_.find(said);
        return found == entries_.end() ? nullptr : found->entry;
    }
    /// Unless the same was said before.
    void add(const EntryPtr& entry) { entries_.insert({hash_of(said_of(entry->message)), entry}); }
    /// If it is here.
    void remove(const EntryPtr& entry) {
        if (entries_.empty()) return;
        const auto found = entries_.find(said_of(entry->message));
        if (found != entries_.end() && found->entry == entry) entries_.erase(found);
    }

private:
    struct Slot {
        std::size_t hash;
        EntryPtr entry;
    };
    static std::size_t hash_of(const Said& said) {
        auto hash = boost::hash<std::string_view>{}(said.id);
        boost::hash_combine(hash, said.client_id);
        return hash;
    }
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(const Slot& slot) const { return slot.hash; }
        std::size_t operator()(const Said& said) const { return hash_of(said); }
    };
    struct Same {
        using is_transparent = void;
        bool operator()(const Slot& a, const Slot& b) const {
            return a.hash == b.hash && said_of(a.entry->message) == said_of(b.entry->message);
        }
        bool operator()(const Said& said, const Slot& slot) const { return said_of(slot.entry->message) == said; }
        bool operator()(const Slot& slot, const Said& said) const { return said_of(slot.entry->message) == said; }
    };

    boost::unordered_flat_set<Slot, Hash, Same> entries_;
};

}  // namespace broker
