// Package exporter shows Cassini's own figures and the dependencies it sees to
// Prometheus. Nothing is counted here: at each scrape the collectors ask their
// sources and turn the answers into metrics, so that a scrape is never older
// than itself and idleness costs nothing.
//
// One file holds one collector. docs/metrics.md is generated from them.
package exporter

//go:generate go test -run ^TestMetricsDocument$ -update .
