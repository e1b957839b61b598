{# A counted pathway reads the events themselves: there is no queue to push them into, and this is never called. #}
{% extends 'common_group.cpp' %}
{% block maincode %}
{% endblock %}
