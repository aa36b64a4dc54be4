// Package dashboards runs every query of every committed Grafana dashboard, and every
// rule, against a real Prometheus that scrapes a real estate in network namespaces, where
// hosts die and programs talk to each other. A panel without data fails.
package dashboards
