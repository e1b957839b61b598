{# SPDX-FileCopyrightText: 2026 The Hebbarium developers
   SPDX-License-Identifier: BSD-3-Clause #}
{# Loops over elements, in pieces where something is done for many elements beforehand: random numbers are drawn, and
   bytes widened to words, since a byte among words would make a compiler work on 32 elements at a time. #}
{% macro over(count, element) %}
    {% if draws or widened %}
    const int32_t _dense_piece = {{ 64 if draws else 256 }};
    for (int32_t _dense_begin = 0; _dense_begin < (int32_t){{count}}; _dense_begin += _dense_piece)
    {
        const int32_t _dense_length = std::min(_dense_piece, (int32_t)({{count}} - _dense_begin));
        {% for k in range(draws) %}
        alignas(64) double _dense_uniform_{{k}}[_dense_piece];
        _dense_random::generator.fill(_dense_uniform_{{k}}, _dense_length);
        {% endfor %}
        {% for name, array, read, written in widened %}
        alignas(64) int32_t _dense_wide_{{name}}[_dense_piece];
        {% if read %}
        #pragma GCC ivdep
        for (int32_t _dense_offset = 0; _dense_offset < _dense_length; ++_dense_offset)
            _dense_wide_{{name}}[_dense_offset] = {{array}}[{{element}}_dense_begin + _dense_offset{{ ']' if element.endswith('[') }}];
        {% endif %}
        {% endfor %}
        #pragma GCC ivdep
        for (int32_t _dense_offset = 0; _dense_offset < _dense_length; ++_dense_offset)
        {
            const size_t _idx = {{element}}_dense_begin + _dense_offset{{ ']' if element.endswith('[') }}, _vectorisation_idx = _idx;
            {{vector_code|autoindent}}
        }
        {% for name, array, read, written in widened if written %}
        #pragma GCC ivdep
        for (int32_t _dense_offset = 0; _dense_offset < _dense_length; ++_dense_offset)
            {{array}}[{{element}}_dense_begin + _dense_offset{{ ']' if element.endswith('[') }}] = _dense_wide_{{name}}[_dense_offset];
        {% endfor %}
    }
    {% else %}
    #pragma GCC ivdep
    for (int32_t _dense_element = 0; _dense_element < (int32_t){{count}}; ++_dense_element)
    {
        const size_t _idx = {{element}}_dense_element{{ ']' if element.endswith('[') }}, _vectorisation_idx = _idx;
        {{vector_code|autoindent}}
    }
    {% endif %}
{% endmacro %}
