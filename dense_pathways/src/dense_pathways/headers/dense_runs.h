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
    typedef std::vector<char> Marks;

    const Order order_;
    const Lists lists_;
    long made_;
    // While the table is made: numbers of synapses, sources, targets and indices, in the order of this table. Synapses
    // that come as they are numbered need no list of their numbers.
    std::vector<const int32_t*> columns_;
    std::vector<List> sorted_;
    std::vector<char> alike_;

    size_t owner() const { return order_ == by_source ? 1 : 2; }
    int32_t value(const size_t column, const int64_t place) const
    {
        return columns_[column] ? columns_[column][place] : (int32_t)place;
    }
    int32_t row(const int64_t place) const { return order_ == as_made ? 0 : value(owner(), place); }

    void mark(Marks& begins, const size_t column, const int32_t step) const
    {
        const int32_t* numbers = columns_[column];
        if (numbers)
            for (int64_t place = 1; place < n_synapses; ++place)
                begins[place] |= (uint32_t)numbers[place] - (uint32_t)numbers[place - 1] != (uint32_t)step;
        else if (step != 1)
            std::fill(begins.begin(), begins.end(), 1);
    }
    // Where runs begin if numbers are to grow by these steps.
    Marks beginnings(const List& by) const
    {
        Marks begins(n_synapses, 0);
        if (n_synapses > 0)
            begins[0] = 1;
        if (order_ != as_made)
            mark(begins, owner(), 0);
        for (size_t column = 0; column < by.size(); ++column)
            mark(begins, column, by[column]);
        return begins;
    }
    static int64_t count(const Marks& begins)
    {
        int64_t found = 0;
        for (const char begin : begins)
            found += begin;
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
        for (const std::pair<const List, int>& entry : seen)
            if (entry.second > most.first)
                most = std::make_pair(entry.second, entry.first);
        return most.second;
    }
    void sort()
    {
        columns_.assign(1, nullptr);
        for (const List* list : lists_)
            columns_.push_back(list->data());
        in_order = order_ == as_made || std::is_sorted(columns_[owner()], columns_[owner()] + n_synapses);
        if (in_order)
            return;
        sorted_.assign(columns_.size(), List(n_synapses));
        const int32_t* owners = columns_[owner()];
        std::vector<int64_t> next(*std::max_element(owners, owners + n_synapses) + 2, 0);
        for (int64_t number = 0; number < n_synapses; ++number)
            ++next[owners[number] + 1];
        for (size_t neuron = 1; neuron < next.size(); ++neuron)
            next[neuron] += next[neuron - 1];
        List& numbers = sorted_[0];
        for (int64_t number = 0; number < n_synapses; ++number)
            numbers[next[owners[number]]++] = (int32_t)number;
        for (size_t column = 1; column < columns_.size(); ++column)
            for (int64_t place = 0; place < n_synapses; ++place)
                sorted_[column][place] = columns_[column][numbers[place]];
        for (size_t column = 0; column < columns_.size(); ++column)
            columns_[column] = sorted_[column].data();
    }
    Marks choose_steps()
    {
        List straight(columns_.size(), 1), slanted(columns_.size(), 1);
        straight[1] = 0;
        steps = straight;
        Marks best = beginnings(steps);
        int64_t fewest = count(best);
        const auto consider = [&](const List& by, const int weight) {
            const Marks begins = beginnings(by);
            const int64_t found = count(begins);
            if (weight*found < fewest)
                best = begins, fewest = found, steps = by;
        };
        if (order_ == as_made)
            consider(slanted, 1);
        if (n_synapses < short_run*fewest)
            consider(most_common(), 2);  // its loops are slower
        plain = steps == straight;
        diagonal = steps == slanted;
        return best;
    }
    struct Span {
        int64_t from, to;
        int which;
        bool operator<(const Span& other) const { return from < other.from; }
    };
    // The elements that runs of some rows reach by one of their numbers.
    std::vector<Span> spans(const int32_t first, const int rows_looked_at, const size_t number) const
    {
        std::vector<Span> found;
        for (int which = 0; which < rows_looked_at; ++which)
            for (int32_t run = rows[first + which]; run < rows[first + which + 1]; ++run)
                found.push_back(Span{at(run)[number], (int64_t)at(run)[number] + at(run)[0], which});
        std::sort(found.begin(), found.end());
        return found;
    }
    // Whether no two runs reach the same element; or if those of one row may, none of different rows.
    static bool disjoint(const std::vector<Span>& sorted, const bool within_rows)
    {
        int64_t ends[together];
        std::fill(ends, ends + together, sorted[0].from);
        for (const Span& span : sorted) {
            for (int other = 0; other < together; ++other)
                if ((within_rows || other != span.which) && span.from < ends[other])
                    return false;
            ends[span.which] = std::max(ends[span.which], span.to);
        }
        return true;
    }
    bool fit(const int32_t first, bool& apart) const
    {
        const int32_t length = rows[first + 1] - rows[first];
        if (length == 0)
            return false;
        for (int other = 1; other < together; ++other) {
            if (rows[first + other + 1] - rows[first + other] != length)
                return false;
            for (int32_t run = 0; run < length; ++run) {
                const int32_t *one = at(rows[first] + run), *another = at(rows[first + other] + run);
                if (another[0] != one[0] || another[3] != one[3])
                    return false;
            }
        }
        if (!disjoint(spans(first, 1, 3), true))
            return false;  // a target has two synapses of one source
        apart = true;
        for (int number = 4; number < width; ++number)
            apart = apart && disjoint(spans(first, together, number), false);
        return true;
    }
    void find_alike()
    {
        alike_.assign(rows.size(), 0);
        if (order_ != by_source || !plain)
            return;
        for (int32_t first = 0; first + together < (int32_t)rows.size();) {
            bool apart = false;
            if (fit(first, apart)) {
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
        const Marks begins = choose_steps();
        width = (int)steps.size() + 1;
        runs.clear();
        runs.reserve(count(begins)*width);
        rows.assign(1, 0);
        int64_t last = 0;
        for (int64_t place = 0; place < n_synapses; ++place) {
            if (!begins[place])
                continue;
            if (place > 0)
                runs[runs.size() - width] = (int32_t)(place - last);
            last = place;
            while ((int32_t)rows.size() <= row(place))
                rows.push_back(n_runs());
            runs.push_back(0);
            for (size_t column = 0; column < steps.size(); ++column)
                runs.push_back(value(column, place));
        }
        if (n_synapses > 0)
            runs[runs.size() - width] = (int32_t)(n_synapses - last);
        rows.push_back(n_runs());
        sorted_.clear();
        find_alike();
    }

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

    // Make it if lists may be others than they were.
    void renew(const bool changing)
    {
        if (made_ == begun() && !changing)
            return;
        make();
        made_ = begun();
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

// What tables there are, and by which each operation went last: written down when the program ends.
struct Registry {
    std::map<std::pair<Order, Lists>, std::unique_ptr<Table>> tables;
    std::map<std::string, const Table*> used;
    std::string folder;

    ~Registry()
    {
        if (used.empty())
            return;
        std::ofstream file(folder + "dense_run_info.txt");
        for (const std::pair<const std::string, const Table*>& entry : used)
            file << entry.first << ' ' << entry.second->n_synapses << ' ' << entry.second->n_runs() << '\n';
    }
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

// Note by which table an operation goes.
inline void report(const std::string& folder, const std::string& operation, const Table& table)
{
    registry().folder = folder;
    registry().used[operation] = &table;
}

}  // namespace _dense_runs
