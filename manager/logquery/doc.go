// Package logquery asks the log of documents, and the events it brought, as data:
// which records match an expression, and how many, what sum, average, least, greatest
// and percentile they come to in each group.
//
// Expressions are CEL (cel.dev), which always ends: each evaluation has a limit on its
// cost, and a question has limits on its time, its groups and its memory. Records
// stream through: what is held at once is a few chunks of them and the groups so far.
//
// Chunks are evaluated side by side and merged in their order. What is merged are
// counts, sums and sketches, never averages; so an answer does not depend on how the
// log was cut.
//
// The package is pure: records come in by a sequence, and time is the record's.
package logquery
