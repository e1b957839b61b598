{# USES_VARIABLES { N } #}
{# Which neurons fire: 32 are asked at once and answer with a bit each; few bits are set, and only those are looked at. #}
{% extends 'threshold.cpp' %}
{% block maincode %}
{% set _events = get_array_name(eventspace_variable) %}
{% if uniform %}
    const int _vectorisation_idx = -1;
    {{scalar_code|autoindent}}
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
    const int _vectorisation_idx = -1;
    {{scalar_code|autoindent}}
    const int32_t _piece = 32;
    int32_t _count = 0;
    for (int32_t _begin = 0; _begin < N; _begin += _piece)
    {
        const int32_t _length = std::min(_piece, (int32_t)(N - _begin));
        {% for k in range(draws) %}
        alignas(64) double _uniform_{{k}}[_piece];
        dense_random::generator.fill(_uniform_{{k}}, _length);
        {% endfor %}
        int32_t _bits = 0;
        if (_length == _piece)
        {
            #pragma GCC ivdep
            for (int32_t _offset = 0; _offset < _piece; ++_offset)
            {
                {{ _ask() }}
            }
        }
        else
            for (int32_t _offset = 0; _offset < _length; ++_offset)
            {
                {{ _ask() }}
            }
        for (uint32_t _left = _bits; _left; _left &= _left - 1)
            {{_events}}[_count++] = _begin + __builtin_ctz(_left);
    }
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
{% macro _ask() %}
                const size_t _idx = _begin + _offset;
                const size_t _vectorisation_idx = _idx;
                {{vector_code|autoindent}}
                _bits |= _cond ? dense_math::bit[_offset] : 0;
{% endmacro %}
{% macro _marked() %}
{% if _uses_refractory %}
{{not_refractory}}[_idx] = false;
{{lastspike}}[_idx] = {{t}};
{% endif %}
{% endmacro %}
