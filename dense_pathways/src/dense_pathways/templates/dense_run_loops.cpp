{# SPDX-FileCopyrightText: 2026 The Hebbarium developers
   SPDX-License-Identifier: BSD-3-Clause #}
{# Loops over runs of synapses (dense_runs.h). Inside one, _dense_source and _dense_target are the numbers of the neurons
   in their groups, _idx is the number of the synapse, and _dense_index_NAME is what it has in a list of indices. #}

{% macro table(order, name) %}
    static _dense_runs::Table &{{name}} = _dense_runs::find(_dense_runs::{{order}}, {
        {%- for list in run_lists %}&{{list}}{{ ', ' if not loop.last }}{% endfor %}});
    {{name}}.renew({{changes}});
{% endmacro %}

{# Say once a run of the network which table it is that is gone by. #}
{% macro report(table) %}
    static long _dense_reported = -1;
    if (_dense_reported != _dense_runs::begun())
        _dense_runs::report(brian::results_dir, "{{codeobj_name}}", {{table}});
    _dense_reported = _dense_runs::begun();
{% endmacro %}

{# With what a run begins. #}
{% macro _first(k='') %}
            const int32_t _dense_first_synapse{{k}} = _dense_run{{k}}[1];
            {% for name in run_indices %}
            const int32_t _dense_first_{{name}}{{k}} = _dense_run{{k}}[{{loop.index0 + 4}}];
            {% endfor %}
{% endmacro %}

{% macro _body(k, after) %}
                {% for name in run_indices %}
                const int32_t _dense_index_{{name}} = _dense_first_{{name}}{{k}} + _dense_offset;
                {% endfor %}
                const size_t _idx = _dense_first_synapse{{k}} + _dense_offset, _vectorisation_idx = _idx;
                {{vector_code|autoindent}}
                {{after}}
{% endmacro %}

{# One run of one source, all else of which grows by one. #}
{% macro plain_run(after='') %}
        {
            const int32_t _dense_length = _dense_run[0], _dense_source = _dense_run[2], _dense_first_target = _dense_run[3];
            {{ _first() }}
            {% for name, type, array in carried %}
            {{type}} _dense_carried_{{name}} = {{array}}[_dense_source];
            {% endfor %}
            {{ivdep}}
            for (int32_t _dense_offset = 0; _dense_offset < _dense_length; ++_dense_offset)
            {
                const int32_t _dense_target = _dense_first_target + _dense_offset;
                {{ _body('', after) }}
            }
            {% for name, type, array in carried %}
            {{array}}[_dense_source] = _dense_carried_{{name}};
            {% endfor %}
        }
{% endmacro %}

{# One run in which all grow by one. #}
{% macro diagonal_run(after='') %}
        {
            const int32_t _dense_length = _dense_run[0], _dense_first_source = _dense_run[2], _dense_first_target = _dense_run[3];
            {{ _first() }}
            {{ivdep_diagonal}}
            for (int32_t _dense_offset = 0; _dense_offset < _dense_length; ++_dense_offset)
            {
                const int32_t _dense_source = _dense_first_source + _dense_offset, _dense_target = _dense_first_target + _dense_offset;
                {{ _carried_there() }}
                {{ _body('', after) }}
            }
        }
{% endmacro %}

{# One run in which all grow by steps of their own. #}
{% macro stepped_run(table, after='') %}
        {
            const int32_t _dense_length = _dense_run[0];
            const int32_t *_dense_steps = {{table}}.steps.data();
            for (int32_t _dense_offset = 0; _dense_offset < _dense_length; ++_dense_offset)
            {
                const size_t _idx = _dense_run[1] + _dense_offset*_dense_steps[0], _vectorisation_idx = _idx;
                const int32_t _dense_source = _dense_run[2] + _dense_offset*_dense_steps[1];
                const int32_t _dense_target = _dense_run[3] + _dense_offset*_dense_steps[2];
                {% for name in run_indices %}
                const int32_t _dense_index_{{name}} = _dense_run[{{loop.index0 + 4}}] + _dense_offset*_dense_steps[{{loop.index0 + 3}}];
                {% endfor %}
                {{ _carried_there() }}
                {{vector_code|autoindent}}
                {{after}}
            }
        }
{% endmacro %}

{% macro _carried_there() %}
                {% for name, type, array in carried %}
                {{type}} &_dense_carried_{{name}} = {{array}}[_dense_source];
                {% endfor %}
{% endmacro %}

{# The rows of some sources that follow one another and reach the same targets. #}
{% macro rows_together(table, first, after='') %}
        {
            {% for k in range(together) %}
            const int32_t *_dense_run_{{k}} = {{table}}.row_begin({{first}} + {{k}});
            const int32_t _dense_source_{{k}} = {{first}} + {{k}};
            {% for name, type, array in carried %}
            {{type}} _dense_carried_{{name}}_{{k}} = {{array}}[_dense_source_{{k}}];
            {% endfor %}
            {% endfor %}
            const int32_t *_dense_row_end = {{table}}.row_end({{first}});
            for (; _dense_run_0 != _dense_row_end;)
            {
                const int32_t _dense_length = _dense_run_0[0], _dense_first_target = _dense_run_0[3];
                {% for k in range(together) %}
                {{ _first('_' ~ k) }}
                {% endfor %}
                {{ivdep}}
                for (int32_t _dense_offset = 0; _dense_offset < _dense_length; ++_dense_offset)
                {
                    const int32_t _dense_target = _dense_first_target + _dense_offset;
                    {% for k in range(together) %}
                    {
                        const int32_t _dense_source = _dense_source_{{k}};
                        {% for name, type, array in carried %}
                        {{type}} &_dense_carried_{{name}} = _dense_carried_{{name}}_{{k}};
                        {% endfor %}
                        {{ _body('_' ~ k, after) }}
                    }
                    {% endfor %}
                }
                {% for k in range(together) %}
                _dense_run_{{k}} += {{run_width}};
                {% endfor %}
            }
            {% for k in range(together) %}
            {% for name, type, array in carried %}
            {{array}}[_dense_source_{{k}}] = _dense_carried_{{name}}_{{k}};
            {% endfor %}
            {% endfor %}
        }
{% endmacro %}

{# All runs of one row, or of the table. #}
{% macro each_run(begin, end) %}
        for (const int32_t *_dense_run = {{begin}}, *_dense_last_run = {{end}}; _dense_run != _dense_last_run; _dense_run += {{run_width}})
{% endmacro %}

{% macro all_as_made(table, after='') %}
    {{ report(table) }}
    if ({{table}}.plain)
    {
        {{ each_run(table ~ '.at(0)', table ~ '.at(' ~ table ~ '.n_runs())') }}
        {{ plain_run(after) }}
    }
    else if ({{table}}.diagonal)
    {
        {{ each_run(table ~ '.at(0)', table ~ '.at(' ~ table ~ '.n_runs())') }}
        {{ diagonal_run(after) }}
    }
    else
    {
        {{ each_run(table ~ '.at(0)', table ~ '.at(' ~ table ~ '.n_runs())') }}
        {{ stepped_run(table, after) }}
    }
{% endmacro %}

{# Every synapse: row by row, some of them side by side, or as they were made, whichever has the longer runs. #}
{% macro every_synapse(after='') %}
    {{ table('by_source', '_dense_table') }}
    bool _dense_as_made = !_dense_table.in_order;
    if (_dense_as_made || _dense_table.is_short())
    {
        {{ table('as_made', '_dense_made') }}
        _dense_as_made = _dense_as_made || _dense_made.n_runs() < _dense_table.n_runs();
        if (_dense_as_made)
        {
            {{ all_as_made('_dense_made', after) }}
        }
    }
    if (!_dense_as_made)
    {
        {{ report('_dense_table') }}
    }
    if (!_dense_as_made && !_dense_table.plain)
    {
        {{ each_run('_dense_table.at(0)', '_dense_table.at(_dense_table.n_runs())') }}
        {{ stepped_run('_dense_table', after) }}
    }
    else if (!_dense_as_made)
        for (int32_t _dense_row = 0; _dense_row < _dense_table.n_rows();)
        {
            {% if side_by_side %}
            if (_dense_table.alike(_dense_row, {{apart}}))
            {
                {{ rows_together('_dense_table', '_dense_row', after) }}
                _dense_row += {{together}};
                continue;
            }
            {% endif %}
            {{ each_run('_dense_table.row_begin(_dense_row)', '_dense_table.row_end(_dense_row)') }}
            {{ plain_run(after) }}
            ++_dense_row;
        }
{% endmacro %}
