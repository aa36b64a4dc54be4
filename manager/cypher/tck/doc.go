// Package tck holds the query engine against the scenarios of openCypher's
// Technology Compatibility Kit. It is nothing but tests: graphs are made by CREATE
// clauses that only the tests understand, the queries are the engine's.
package tck
