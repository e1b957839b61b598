{# SPDX-FileCopyrightText: 2026 The Hebbarium developers
   SPDX-License-Identifier: BSD-3-Clause #}
{# A counted pathway reads the events themselves: there is no queue to push them into, and this is never called. #}
{% extends 'common_group.cpp' %}
{% block maincode %}
{% endblock %}
