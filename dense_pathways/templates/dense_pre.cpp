{# A pathway triggered by sources: for each source that fired, its row of synapses. #}
{% extends 'common_synapses.cpp' %}
{% import 'dense_loops.cpp' as loops with context %}
{% block maincode %}
    const size_t _vectorisation_idx = -1;
    {{ loops.events() }}
    if (_first_event == _last_event)
        return;
    {{scalar_code|autoindent}}
    for (const int32_t *_event = _first_event; _event != _last_event; ++_event)
    {
        const int32_t _source = *_event;
        {{ loops.row('_source - ' ~ connection.pre_offset) }}
    }
{% endblock %}
