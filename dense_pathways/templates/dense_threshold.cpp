{# SPDX-FileCopyrightText: 2026 The Hebbarium developers
   SPDX-License-Identifier: BSD-3-Clause #}
{# Which neurons fire. A row of them is asked at once, and each answers with the row's bit in the word of its place in the
   row. To gather the answers of a row takes longer than to ask: that is done for the few rows in which a neuron fires.
   Where a byte is part of the question (whether a neuron is refractory), answers are bytes as well: to widen it to a
   word takes longer than all the rest.
   USES_VARIABLES { N } #}
{% extends 'threshold.cpp' %}
{% block maincode %}
{% set _events = get_array_name(eventspace_variable) %}
{% if uniform or at_once %}
    const size_t _vectorisation_idx = -1;
    {{scalar_code|autoindent}}
{% endif %}
{% if uniform %}
    bool _all_fire;
    {
        {{vector_code|autoindent}}
        _all_fire = _cond;
    }
    if (_all_fire)
        for (int32_t _idx = 0; _idx < N; ++_idx)
        {
            {{_events}}[_idx] = _idx;
            {{ _marked() }}
        }
    {{_events}}[N] = _all_fire ? N : 0;
{% elif at_once %}
    int32_t _count = 0;
    {% if few %}
    for (int32_t _idx = 0; _idx < N; ++_idx)
    {
        const size_t _vectorisation_idx = _idx;
        {{vector_code|autoindent}}
        if (_cond)
            {{_events}}[_count++] = _idx;
    }
    {% elif bytes %}
    const int32_t _piece = {{16*lanes}}, _word = 64;
    for (int32_t _begin = 0; _begin < N; _begin += _piece)
    {
        alignas(64) char _answers[_piece];
        const int32_t _length = std::min(_piece, (int32_t)(N - _begin));
        const int32_t _asked = (_length + {{width - 1}})/{{width}}*{{width}}, _gathered = (_length + _word - 1)/_word*_word;
        #pragma GCC ivdep
        for (int32_t _offset = 0; _offset < _asked; ++_offset)
        {
            const size_t _idx = _begin + _offset, _vectorisation_idx = _idx;
            {{vector_code|autoindent}}
            _answers[_offset] = _cond != 0;
        }
        for (int32_t _offset = _length; _offset < _gathered; ++_offset)
            _answers[_offset] = 0;  // nobody is asked beyond the last neuron
        for (int32_t _first = 0; _first < _length; _first += _word)
        {
            uint64_t _any = 0, _eight;
            for (int32_t _offset = 0; _offset < _word; _offset += 8)
            {
                std::memcpy(&_eight, _answers + _first + _offset, 8);
                _any |= _eight;
            }
            if (!_any)
                continue;
            uint64_t _bits = 0;
            for (int32_t _offset = 0; _offset < _word; ++_offset)
                _bits |= (uint64_t)_answers[_first + _offset] << _offset;
            for (; _bits; _bits &= _bits - 1)
                {{_events}}[_count++] = _begin + _first + __builtin_ctzll(_bits);
        }
    }
    {% else %}
    const int32_t _lanes = {{lanes}}, _most = 32*_lanes;
    for (int32_t _begin = 0; _begin < N; _begin += _most)
    {
        alignas(64) uint32_t _answers[_lanes] = {};
        const int32_t _length = std::min(_most, (int32_t)(N - _begin));
        const int32_t _whole = _length/_lanes, _left = _length % _lanes;
        {% for k in range(draws) %}
        alignas(64) double _uniform_{{k}}[_lanes];
        {% endfor %}
        for (int32_t _row = 0; _row < _whole{{ ' + (_left > 0)' if width > 1 }}; ++_row)
        {
            {{ _drawn('_lanes') }}
            #pragma GCC ivdep
            for (int32_t _offset = 0; _offset < _lanes; ++_offset)
            {
                {{ _ask('_row') }}
            }
        }
        {% if width > 1 %}
        if (_left > 0)  // nobody is asked beyond the last neuron
            for (int32_t _offset = 0; _offset < _lanes; ++_offset)
                _answers[_offset] &= ~((uint32_t)(_offset >= _left) << _whole);
        {% else %}
        {{ _drawn('_left') }}
        for (int32_t _offset = 0; _offset < _left; ++_offset)
        {
            {{ _ask('_whole') }}
        }
        {% endif %}
        uint32_t _rows = 0;
        for (int32_t _offset = 0; _offset < _lanes; ++_offset)
            _rows |= _answers[_offset];
        for (; _rows; _rows &= _rows - 1)
        {
            const int32_t _row = __builtin_ctz(_rows);
            uint32_t _bits = 0;
            for (int32_t _offset = 0; _offset < _lanes; ++_offset)
                _bits |= (_answers[_offset] >> _row & 1u) << _offset;
            for (; _bits; _bits &= _bits - 1)
                {{_events}}[_count++] = _begin + _lanes*_row + __builtin_ctz(_bits);
        }
    }
    {% endif %}
    {{_events}}[N] = _count;
    {% if _uses_refractory %}
    for (int32_t _event = 0; _event < _count; ++_event)
    {
        const int32_t _idx = {{_events}}[_event];
        {{ _marked() }}
    }
    {% endif %}
{% else %}
{{ super() }}
{% endif %}
{% endblock %}
{% macro _ask(row) %}
                const size_t _idx = _begin + _lanes*{{row}} + _offset, _vectorisation_idx = _idx;
                {{vector_code|autoindent}}
                _answers[_offset] |= (uint32_t)(_cond != 0) << {{row}};  // a choice would become a branch
{% endmacro %}
{% macro _drawn(length) %}
        {% for k in range(draws) %}
        dense_random::generator.fill(_uniform_{{k}}, {{length}});
        {% endfor %}
{% endmacro %}
{% macro _marked() %}
{% if _uses_refractory %}{{not_refractory}}[_idx] = false, {{lastspike}}[_idx] = {{t}};{% endif %}

{% endmacro %}
