// Package rules holds alert and recording rules for Prometheus: cassini.alerts.yml and
// cassini.rules.yml, which are taken as they are. Its tests check them with promtool, and
// that every metric that they name is one that Cassini shows.
package rules
