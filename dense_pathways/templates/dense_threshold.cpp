{# USES_VARIABLES { N } #}
{# Which neurons fire: the condition for many at once, then the list of those for which it holds. #}
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
    const int32_t _stride = 64;
    int32_t _count = 0;
    for (int32_t _begin = 0; _begin < N; _begin += _stride)
    {
        // char for whether one fires: eight of them are looked at together below
        alignas(64) char _fires[_stride] = {0};
        const int32_t _length = std::min(_stride, (int32_t)(N - _begin));
        char _any = 0;
        {% for k in range(draws) %}
        alignas(64) double _uniform_{{k}}[_stride];
        dense_random::generator.fill(_uniform_{{k}}, _length);
        {% endfor %}
        #pragma GCC ivdep
        for (int32_t _offset = 0; _offset < _length; ++_offset)
        {
            const size_t _idx = _begin + _offset;
            const size_t _vectorisation_idx = _idx;
            {{vector_code|autoindent}}
            _fires[_offset] = _cond ? 1 : 0;
            _any |= _fires[_offset];
        }
        if (!_any)
            continue;
        for (int32_t _offset = 0; _offset < _length; ++_offset)
            if (_fires[_offset])
            {
                const int32_t _idx = _begin + _offset;
                {{_events}}[_count++] = _idx;
                {{ _marked() }}
            }
    }
    {{_events}}[N] = _count;
{% else %}
{{ super() }}
{% endif %}
{% endblock %}
{% macro _marked() %}
{% if _uses_refractory %}
{{not_refractory}}[_idx] = false;
{{lastspike}}[_idx] = {{t}};
{% endif %}
{% endmacro %}
