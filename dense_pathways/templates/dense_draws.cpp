{# Loops over elements, in pieces of 64 where random numbers are drawn beforehand: first all of a piece's draws, then
   its elements at once. #}
{% macro over(count, element) %}
    {% if draws %}
    const int32_t _piece = 64;
    for (int32_t _begin = 0; _begin < (int32_t){{count}}; _begin += _piece)
    {
        const int32_t _length = std::min(_piece, (int32_t)({{count}} - _begin));
        {% for k in range(draws) %}
        alignas(64) double _uniform_{{k}}[_piece];
        dense_random::generator.fill(_uniform_{{k}}, _length);
        {% endfor %}
        #pragma GCC ivdep
        for (int32_t _offset = 0; _offset < _length; ++_offset)
        {
            const size_t _idx = {{element}}_begin + _offset{{ ']' if element.endswith('[') }};
            const size_t _vectorisation_idx = _idx;
            {{vector_code|autoindent}}
        }
    }
    {% else %}
    #pragma GCC ivdep
    for (int32_t _element = 0; _element < (int32_t){{count}}; ++_element)
    {
        const size_t _idx = {{element}}_element{{ ']' if element.endswith('[') }};
        const size_t _vectorisation_idx = _idx;
        {{vector_code|autoindent}}
    }
    {% endif %}
{% endmacro %}
