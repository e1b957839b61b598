{# The loop over steps. Brian2's looks every operation's clock up in a set at every step; where there is one clock,
   which is the common case, there is nothing to look up. #}
{% macro cpp_file() %}
#include "network.h"
#include <chrono>
#include <cmath>

double Network::_last_run_time = 0.0;
double Network::_last_run_completed_fraction = 0.0;
bool Network::_globally_stopped = false;
bool Network::_globally_running = false;

Network::Network() : t(0.0) {}

void Network::clear()
{
    objects.clear();
}

void Network::add(BaseClock* clock, codeobj_func func)
{
    objects.push_back(std::make_pair(clock, func));
}

// The clock that is behind all others, and in `due` those that are as far as it is.
BaseClock* Network::next_clocks()
{
    const double same_time = 1e-14;
    if (clocks.empty())
        return NULL;
    BaseClock* first = *clocks.begin();
    for (BaseClock* clock : clocks)
        if (clock->t[0] < first->t[0])
            first = clock;
    due.clear();
    for (BaseClock* clock : clocks)
        if (clock->t[0] == first->t[0] || std::fabs(clock->t[0] - first->t[0]) <= same_time)
            due.insert(clock);
    return first;
}

void Network::run(const double duration, void (*report_func)(const double, const double, const double, const double),
                  const double report_period)
{
    typedef std::chrono::steady_clock Watch;
    const double t_start = t, t_end = t + duration;
    double next_report = report_period;
    bool timed_out = false;

    clocks.clear();
    for (const auto& object : objects)
        clocks.insert(object.first);
    for (BaseClock* clock : clocks)
        clock->set_interval(t, t_end);
    const bool one_clock = clocks.size() == 1;

    const Watch::time_point start = Watch::now();
    const auto elapsed = [&start]() { return std::chrono::duration<double>(Watch::now() - start).count(); };
    if (report_func)
        report_func(0.0, 0.0, t_start, duration);

    BaseClock* clock = next_clocks();
    _globally_running = true;
    _globally_stopped = false;
    while (clock && clock->running() && !_globally_stopped)
    {
        t = clock->t[0];
        for (const auto& object : objects)
        {
            if (report_func && elapsed() > next_report)
            {
                report_func(elapsed(), (clock->t[0] - t_start)/duration, t_start, duration);
                next_report += report_period;
            }
            if (object.second && (one_clock || due.count(object.first)))
                object.second();
        }
        if (one_clock)
            clock->tick();
        else
        {
            for (BaseClock* passed : due)
                passed->tick();
            clock = next_clocks();
        }
        {% if maximum_run_time is not none %}
        if (elapsed() > {{maximum_run_time}})
        {
            timed_out = true;
            break;
        }
        {% endif %}
    }
    _globally_running = false;
    _last_run_time = elapsed();
    t = timed_out || _globally_stopped ? clock->t[0] : t_end;
    _last_run_completed_fraction = duration > 0 ? (t - t_start)/duration : 1.0;
    if (report_func)
        report_func(_last_run_time, _last_run_completed_fraction, t_start, duration);
}
{% endmacro %}

{% macro h_file() %}
#ifndef DENSE_NETWORK_H
#define DENSE_NETWORK_H

#include <set>
#include <utility>
#include <vector>
#include "brianlib/clocks.h"

typedef void (*codeobj_func)();

class Network
{
    std::set<BaseClock*> clocks, due;
    BaseClock* next_clocks();

public:
    std::vector<std::pair<BaseClock*, codeobj_func> > objects;
    double t;
    static double _last_run_time;
    static double _last_run_completed_fraction;
    static bool _globally_stopped;
    static bool _globally_running;

    Network();
    void clear();
    void add(BaseClock* clock, codeobj_func func);
    void run(const double duration,
             void (*report_func)(const double, const double, const double, const double),
             const double report_period);
};

#endif
{% endmacro %}
