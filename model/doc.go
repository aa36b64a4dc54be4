// Package model is the vocabulary that agent and manager share: documents and
// their bodies, the graph's nodes and edges, stable identifiers, events and the
// shapes the API answers with. It holds values and pure functions only; it
// imports nothing of Cassini and performs no I/O.
package model
