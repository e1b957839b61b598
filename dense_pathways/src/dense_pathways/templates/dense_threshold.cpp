{# SPDX-FileCopyrightText: 2026 The Hebbarium developers
   SPDX-License-Identifier: BSD-3-Clause #}
{# Which neurons fire. A row of them is asked at once, and each answers with the row's bit in the word of its place in the
   row. To gather the answers of a row takes longer than to ask: that is done for the few rows in which a neuron fires.
   Where part of the question is the same for all and answered by no, nobody is asked.
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
    bool _dense_all_fire;
    {
        {{vector_code|autoindent}}
        _dense_all_fire = _cond;
    }
    if (_dense_all_fire)
        for (int32_t _idx = 0; _idx < N; ++_idx)
        {
            {{_events}}[_idx] = _idx;
            {{ _marked() }}
        }
    {{_events}}[N] = _dense_all_fire ? N : 0;
{% elif at_once %}
    {% if gate %}
    if (!({{gate}}))
    {
        {{_events}}[N] = 0;
        return;
    }
    {% endif %}
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
    const int32_t _dense_piece = {{16*lanes}}, _dense_word = 64;
    for (int32_t _dense_begin = 0; _dense_begin < N; _dense_begin += _dense_piece)
    {
        alignas(64) char _dense_answers[_dense_piece];
        const int32_t _dense_length = std::min(_dense_piece, (int32_t)(N - _dense_begin));
        const int32_t _dense_asked = (_dense_length + {{width - 1}})/{{width}}*{{width}}, _dense_gathered = (_dense_length + _dense_word - 1)/_dense_word*_dense_word;
        #pragma GCC ivdep
        for (int32_t _dense_offset = 0; _dense_offset < _dense_asked; ++_dense_offset)
        {
            const size_t _idx = _dense_begin + _dense_offset, _vectorisation_idx = _idx;
            {{vector_code|autoindent}}
            _dense_answers[_dense_offset] = _cond != 0;
        }
        for (int32_t _dense_offset = _dense_length; _dense_offset < _dense_gathered; ++_dense_offset)
            _dense_answers[_dense_offset] = 0;  // nobody is asked beyond the last neuron
        for (int32_t _dense_first = 0; _dense_first < _dense_length; _dense_first += _dense_word)
        {
            std::uint64_t _dense_any = 0, _dense_eight;
            for (int32_t _dense_offset = 0; _dense_offset < _dense_word; _dense_offset += 8)
            {
                std::memcpy(&_dense_eight, _dense_answers + _dense_first + _dense_offset, 8);
                _dense_any |= _dense_eight;
            }
            if (!_dense_any)
                continue;
            std::uint64_t _dense_bits = 0;
            for (int32_t _dense_offset = 0; _dense_offset < _dense_word; ++_dense_offset)
                _dense_bits |= (std::uint64_t)_dense_answers[_dense_first + _dense_offset] << _dense_offset;
            for (; _dense_bits; _dense_bits &= _dense_bits - 1)
                {{_events}}[_count++] = _dense_begin + _dense_first + __builtin_ctzll(_dense_bits);
        }
    }
    {% else %}
    const int32_t _dense_lanes = {{lanes}}, _dense_most = 32*_dense_lanes;
    for (int32_t _dense_begin = 0; _dense_begin < N; _dense_begin += _dense_most)
    {
        alignas(64) std::uint32_t _dense_answers[_dense_lanes] = {};
        const int32_t _dense_length = std::min(_dense_most, (int32_t)(N - _dense_begin));
        const int32_t _dense_whole = _dense_length/_dense_lanes, _dense_left = _dense_length % _dense_lanes;
        {% for k in range(draws) %}
        alignas(64) double _dense_uniform_{{k}}[_dense_lanes];
        {% endfor %}
        for (int32_t _dense_row = 0; _dense_row < _dense_whole{{ ' + (_dense_left > 0)' if width > 1 }}; ++_dense_row)
        {
            {{ _drawn('_dense_lanes') }}
            #pragma GCC ivdep
            for (int32_t _dense_offset = 0; _dense_offset < _dense_lanes; ++_dense_offset)
            {
                {{ _ask('_dense_row') }}
            }
        }
        {% if width > 1 %}
        if (_dense_left > 0)  // nobody is asked beyond the last neuron
            for (int32_t _dense_offset = 0; _dense_offset < _dense_lanes; ++_dense_offset)
                _dense_answers[_dense_offset] &= ~((std::uint32_t)(_dense_offset >= _dense_left) << _dense_whole);
        {% else %}
        {{ _drawn('_dense_left') }}
        for (int32_t _dense_offset = 0; _dense_offset < _dense_left; ++_dense_offset)
        {
            {{ _ask('_dense_whole') }}
        }
        {% endif %}
        std::uint32_t _dense_rows = 0;
        for (int32_t _dense_offset = 0; _dense_offset < _dense_lanes; ++_dense_offset)
            _dense_rows |= _dense_answers[_dense_offset];
        for (; _dense_rows; _dense_rows &= _dense_rows - 1)
        {
            const int32_t _dense_row = __builtin_ctz(_dense_rows);
            std::uint32_t _dense_bits = 0;
            for (int32_t _dense_offset = 0; _dense_offset < _dense_lanes; ++_dense_offset)
                _dense_bits |= (_dense_answers[_dense_offset] >> _dense_row & 1u) << _dense_offset;
            for (; _dense_bits; _dense_bits &= _dense_bits - 1)
                {{_events}}[_count++] = _dense_begin + _dense_lanes*_dense_row + __builtin_ctz(_dense_bits);
        }
    }
    {% endif %}
    {{_events}}[N] = _count;
    {% if _uses_refractory %}
    for (int32_t _dense_event = 0; _dense_event < _count; ++_dense_event)
    {
        const int32_t _idx = {{_events}}[_dense_event];
        {{ _marked() }}
    }
    {% endif %}
{% else %}
{{ super() }}
{% endif %}
{% endblock %}
{% macro _ask(row) %}
                const size_t _idx = _dense_begin + _dense_lanes*{{row}} + _dense_offset, _vectorisation_idx = _idx;
                {{vector_code|autoindent}}
                _dense_answers[_dense_offset] |= (std::uint32_t)(_cond != 0) << {{row}};  // a choice would become a branch
{% endmacro %}
{% macro _drawn(length) %}
        {% for k in range(draws) %}
        _dense_random::generator.fill(_dense_uniform_{{k}}, {{length}});
        {% endfor %}
{% endmacro %}
{% macro _marked() %}
{% if _uses_refractory %}{{not_refractory}}[_idx] = false, {{lastspike}}[_idx] = {{t}};{% endif %}

{% endmacro %}
