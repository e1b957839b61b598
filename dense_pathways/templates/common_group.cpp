{# Frame of every code object: as Brian2's, but what a file defines lies in a namespace of its own, so that
   many files can be compiled as one. #}
{% macro _includes() %}
#include "dense_math.h"
#include "objects.h"
#include "dense_random.h"
#include "dense_watch.h"
#include "brianlib/common_math.h"
#include "brianlib/stdint_compat.h"
#include <chrono>
#include <climits>
#include <cmath>
#include <ctime>
#include <fstream>
#include <iostream>
{% for header in user_headers | sort %}
#include {{header}}
{% endfor %}
{% endmacro %}

{% macro _opening(prefix) %}
    using namespace brian;
    using namespace {{prefix}}{{codeobj_name}}_support;
    %CONSTANTS%
    {{pointers_lines|autoindent}}
{% endmacro %}

{% macro before_run_cpp_file() %}
{{ _includes() }}
#include "code_objects/before_run_{{codeobj_name}}.h"

namespace before_run_{{codeobj_name}}_support {
{{support_code_lines|autoindent}}
}

void _before_run_{{codeobj_name}}()
{
    {{ _opening("before_run_") }}
    {% block before_code %}
    // EMPTY_CODE_BLOCK
    {% endblock %}
}
{% endmacro %}

{% macro before_run_h_file() %}
#pragma once
void _before_run_{{codeobj_name}}();
{% endmacro %}

{% macro cpp_file() %}
{{ _includes() }}
#include "code_objects/{{codeobj_name}}.h"
{% block extra_headers %}
{% endblock %}

namespace {{codeobj_name}}_support {
{{support_code_lines|autoindent}}
}

{% if hashdefine_lines | join | trim %}
// HASH-DEFINES
{{hashdefine_lines|autoindent}}
{% endif %}

void _run_{{codeobj_name}}()
{
    {% if remark is defined and remark %}
    // DENSE-REMARK: {{remark}}
    {% endif %}
    {{ _opening("") }}
    {% if profiled %}
    const DenseWatch _watch({{codeobj_name}}_profiling_info);
    {% endif %}
    {% block maincode %}
    {% endblock %}
}
{% block extra_functions_cpp %}
{% endblock %}
{% endmacro %}

{% macro h_file() %}
#pragma once
void _run_{{codeobj_name}}();
{% block extra_functions_h %}
{% endblock %}
{% endmacro %}

{% macro after_run_cpp_file() %}
{{ _includes() }}
#include "code_objects/after_run_{{codeobj_name}}.h"

namespace after_run_{{codeobj_name}}_support {
{{support_code_lines|autoindent}}
}

void _after_run_{{codeobj_name}}()
{
    {{ _opening("after_run_") }}
    {% block after_code %}
    // EMPTY_CODE_BLOCK
    {% endblock %}
}
{% endmacro %}

{% macro after_run_h_file() %}
#pragma once
void _after_run_{{codeobj_name}}();
{% endmacro %}
