// Package dashboards builds the Grafana dashboards of Cassini. The JSON files beside it
// are its output, for Grafana 10 and newer: ring health, services and dependencies, host,
// and what Cassini itself takes. docs/dashboards.md says how to load them.
//
// The queries ask one Prometheus data source, which the variable datasource names, and
// find hosts by the label instance.
package dashboards

//go:generate go test -run ^TestGenerated$ -update .
