{# SPDX-FileCopyrightText: 2026 The Hebbarium developers
   SPDX-License-Identifier: BSD-3-Clause #}
{# Loops over elements, in pieces where something is done for many elements beforehand: random numbers are drawn, and
   bytes widened to words, since a byte among words would make a compiler work on 32 elements at a time. #}
{% macro over(count, element) %}
    {% if draws or widened %}
    const int32_t _piece = {{ 64 if draws else 256 }};
    for (int32_t _begin = 0; _begin < (int32_t){{count}}; _begin += _piece)
    {
        const int32_t _length = std::min(_piece, (int32_t)({{count}} - _begin));
        {% for k in range(draws) %}
        alignas(64) double _uniform_{{k}}[_piece];
        dense_random::generator.fill(_uniform_{{k}}, _length);
        {% endfor %}
        {% for name, array, read, written in widened %}
        alignas(64) int32_t _wide_{{name}}[_piece];
        {% if read %}
        #pragma GCC ivdep
        for (int32_t _offset = 0; _offset < _length; ++_offset)
            _wide_{{name}}[_offset] = {{array}}[{{element}}_begin + _offset{{ ']' if element.endswith('[') }}];
        {% endif %}
        {% endfor %}
        #pragma GCC ivdep
        for (int32_t _offset = 0; _offset < _length; ++_offset)
        {
            const size_t _idx = {{element}}_begin + _offset{{ ']' if element.endswith('[') }}, _vectorisation_idx = _idx;
            {{vector_code|autoindent}}
        }
        {% for name, array, read, written in widened if written %}
        #pragma GCC ivdep
        for (int32_t _offset = 0; _offset < _length; ++_offset)
            {{array}}[{{element}}_begin + _offset{{ ']' if element.endswith('[') }}] = _wide_{{name}}[_offset];
        {% endfor %}
    }
    {% else %}
    #pragma GCC ivdep
    for (int32_t _element = 0; _element < (int32_t){{count}}; ++_element)
    {
        const size_t _idx = {{element}}_element{{ ']' if element.endswith('[') }}, _vectorisation_idx = _idx;
        {{vector_code|autoindent}}
    }
    {% endif %}
{% endmacro %}
