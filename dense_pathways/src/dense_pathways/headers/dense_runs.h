// SPDX-FileCopyrightText: 2026 The Hebbarium developers
// SPDX-License-Identifier: BSD-3-Clause
// Listed connections as runs: synapses that follow one another, whose neurons and indices of linked variables do so too.
// A loop over a run counts all of them, and reads no list. Tables are made when a loop first needs them after a network
// has begun to run, whatever made the connection.
#pragma once

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace _dense_runs {

typedef std::vector<int32_t> List;
// The lists of a connection: sources, targets, and indices by which synapses reach linked variables.
typedef std::vector<const List*> Lists;

enum Order {
    by_source,  // rows of one source each, in each the synapses as they are numbered
    by_target,  // the same of targets
    as_made     // all synapses as they are numbered
};

// Sources whose rows are tried side by side.
static const int together = 4;
// Below this length, on average, a row is not worth its loop if all synapses can be gone through as they are numbered.
static const int short_run = 4;
// Pairs of neighbours that are looked at for what they most often have in common.
static const int looked_at = 4096;

// How often a network has begun to run: lists may have become others in between.
inline long& begun()
{
    static long times = 0;
    return times;
}

class Table {
    const Order order_;
    const Lists lists_;
    List sequence_;  // numbers of synapses in the order of this table, unless they are in order
    long made_;

    int32_t synapse(const int64_t place) const { return in_order ? (int32_t)place : sequence_[place]; }
    int32_t value(const size_t column, const int64_t place) const
    {
        return column == 0 ? synapse(place) : (*lists_[column - 1])[synapse(place)];
    }
    int32_t row(const int64_t place) const
    {
        return order_ == as_made ? 0 : (*lists_[order_ == by_source ? 0 : 1])[synapse(place)];
    }
    bool follows(const int64_t place, const List& by) const
    {
        if (row(place) != row(place - 1))
            return false;
        for (size_t column = 0; column < by.size(); ++column)
            if ((int64_t)value(column, place) - value(column, place - 1) != by[column])
                return false;
        return true;
    }
    int64_t count(const List& by) const
    {
        int64_t found = n_synapses > 0;
        for (int64_t place = 1; place < n_synapses; ++place)
            found += !follows(place, by);
        return found;
    }
    List most_common() const
    {
        std::map<List, int> seen;
        const int64_t stride = std::max<int64_t>(1, n_synapses/looked_at);
        for (int64_t place = 1; place < n_synapses; place += stride) {
            if (row(place) != row(place - 1))
                continue;
            List by(steps.size());
            for (size_t column = 0; column < by.size(); ++column)
                by[column] = value(column, place) - value(column, place - 1);
            ++seen[by];
        }
        std::pair<int, List> most(0, steps);
        for (std::map<List, int>::const_iterator entry = seen.begin(); entry != seen.end(); ++entry)
            if (entry->second > most.first)
                most = std::make_pair(entry->second, entry->first);
        return most.second;
    }
    void sort()
    {
        in_order = true;
        sequence_.clear();
        bool sorted = true;
        for (int64_t place = 1; place < n_synapses && sorted; ++place)
            sorted = row(place) >= row(place - 1);
        if (sorted)
            return;
        const List& owners = *lists_[order_ == by_source ? 0 : 1];
        sequence_.resize(n_synapses);
        for (int64_t place = 0; place < n_synapses; ++place)
            sequence_[place] = (int32_t)place;
        std::stable_sort(sequence_.begin(), sequence_.end(), [&](int32_t a, int32_t b) { return owners[a] < owners[b]; });
        in_order = false;
    }
    void choose_steps()
    {
        const size_t columns = lists_.size() + 1;
        List straight(columns, 1), slanted(columns, 1);
        straight[1] = 0;
        steps = straight;
        int64_t fewest = count(steps);
        if (order_ == as_made) {
            const int64_t runs_slanted = count(slanted);
            if (runs_slanted < fewest)
                steps = slanted, fewest = runs_slanted;
        }
        const List common = most_common();
        if (2*count(common) < fewest)  // its loops are slower
            steps = common;
        plain = steps == straight;
        diagonal = steps == slanted;
    }
    bool fit(const int32_t first, bool& apart) const
    {
        const int32_t length = rows[first + 1] - rows[first];
        if (length == 0)
            return false;
        for (int32_t run = 0; run < length; ++run) {
            const int32_t* one = at(rows[first] + run);
            if (run && one[3] < at(rows[first] + run - 1)[3] + at(rows[first] + run - 1)[0])
                return false;  // a target has two synapses of one source
            for (int other = 1; other < together; ++other) {
                const int32_t* another = at(rows[first + other] + run);
                if (another[0] != one[0] || another[3] != one[3])
                    return false;
            }
        }
        apart = true;
        std::vector<std::pair<int64_t, std::pair<int64_t, int>>> spans;
        for (size_t column = 3; column < steps.size() && apart; ++column) {
            spans.clear();
            for (int which = 0; which < together; ++which)
                for (int32_t run = 0; run < length; ++run) {
                    const int32_t* one = at(rows[first + which] + run);
                    const int64_t from = one[column + 1];
                    spans.push_back(std::make_pair(from, std::make_pair(from + one[0], which)));
                }
            std::sort(spans.begin(), spans.end());
            int64_t ends[together];
            std::fill(ends, ends + together, spans[0].first);
            for (size_t k = 0; k < spans.size() && apart; ++k) {
                const int which = spans[k].second.second;
                for (int other = 0; other < together; ++other)
                    apart = apart && (other == which || spans[k].first >= ends[other]);
                ends[which] = std::max(ends[which], spans[k].second.first);
            }
        }
        return true;
    }
    void find_alike()
    {
        alike_.assign(rows.size(), 0);
        if (order_ != by_source || !plain)
            return;
        for (int32_t first = 0; first + together < (int32_t)rows.size();) {
            bool same_length = true, apart = false;
            for (int other = 1; other < together; ++other)
                same_length = same_length && rows[first + other + 1] - rows[first + other] == rows[first + 1] - rows[first];
            if (same_length && fit(first, apart)) {
                alike_[first] = apart ? 2 : 1;
                first += together;
            } else
                ++first;
        }
    }
    void make()
    {
        n_synapses = (int64_t)lists_[0]->size();
        sort();
        choose_steps();
        width = (int)steps.size() + 1;
        runs.clear();
        rows.assign(1, 0);
        int32_t length = 0;
        for (int64_t place = 0; place < n_synapses; ++place) {
            if (place == 0 || !follows(place, steps)) {
                const int32_t here = row(place);
                while ((int32_t)rows.size() <= here)
                    rows.push_back(n_runs());
                runs.push_back(0);
                for (size_t column = 0; column < steps.size(); ++column)
                    runs.push_back(value(column, place));
            }
            ++runs[runs.size() - width];
        }
        rows.push_back(n_runs());
        runs.shrink_to_fit();
        List().swap(sequence_);
        find_alike();
    }

    std::vector<char> alike_;

public:
    List runs;   // of each its length, then with what it begins: synapse, source, target, indices
    List rows;   // the run with which each neuron begins, and one more
    List steps;  // what each of these grows by from one synapse of a run to the next
    int width;   // numbers of a run
    int64_t n_synapses;
    bool in_order;  // synapses come as they are numbered
    bool plain;     // one source, and all else grows by one
    bool diagonal;  // all grow by one

    Table(const Order order, const Lists& lists) : order_(order), lists_(lists), made_(-1) {}

    // Make it if lists may be others than they were; says whether it was made.
    bool ready(const bool changing)
    {
        if (made_ == begun() && !changing)
            return false;
        const bool first = made_ != begun();
        make();
        made_ = begun();
        return first;
    }
    int32_t n_runs() const { return (int32_t)(runs.size()/width); }
    int32_t n_rows() const { return (int32_t)rows.size() - 1; }
    bool is_short() const { return n_synapses < (int64_t)short_run*n_runs(); }
    const int32_t* at(const int32_t run) const { return runs.data() + (size_t)run*width; }
    const int32_t* row_begin(const int32_t neuron) const { return at(rows[std::min(neuron, n_rows())]); }
    const int32_t* row_end(const int32_t neuron) const { return at(rows[std::min(neuron + 1, n_rows())]); }
    // Whether the rows of a source and of those that follow it reach the same targets in the same runs; and if they are
    // to be apart, no element by an index that another one of them reaches too.
    bool alike(const int32_t neuron, const bool apart) const
    {
        return neuron < n_rows() && alike_[neuron] > (apart ? 1 : 0);
    }
};

struct Registry {
    std::map<std::pair<Order, Lists>, std::unique_ptr<Table>> tables;
    std::map<std::string, const Table*> used;
};

inline Registry& registry()
{
    static Registry all;
    return all;
}

// The table of a connection, which operations share.
inline Table& find(const Order order, const Lists& lists)
{
    std::unique_ptr<Table>& table = registry().tables[std::make_pair(order, lists)];
    if (!table)
        table.reset(new Table(order, lists));
    return *table;
}

// Write down by which table each operation goes.
inline void report(const std::string& folder, const std::string& operation, const Table& table)
{
    std::map<std::string, const Table*>& used = registry().used;
    used[operation] = &table;
    std::ofstream file(folder + "dense_run_info.txt");
    for (std::map<std::string, const Table*>::const_iterator entry = used.begin(); entry != used.end(); ++entry)
        file << entry->first << ' ' << entry->second->n_synapses << ' ' << entry->second->n_runs() << '\n';
}

}  // namespace _dense_runs
