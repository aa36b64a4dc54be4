// Package alerts tells receivers of incidents: Alertmanager, webhooks, a program of the
// user's.
//
// The document log is the queue: incidents are derived from it, and what is kept on disk
// for each receiver is only what it was told of (alerts.db). A pass compares that with the
// incidents as they are and sends the differences; what was sent is written down after it
// was taken. So each incident is told at least once whatever happens in between, a process
// that is killed repeats itself, and a receiver that is away for long is told of what
// matters then, in bounded memory: of each incident its last state.
//
// Receivers do not wait for each other; each backs off by itself. Package alerts knows no
// store and no graph: it asks a Source.
package alerts
