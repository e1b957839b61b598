{# A counted pathway reads the events themselves: there is no queue to push them into. #}
{% extends 'common_group.cpp' %}
