// Package alerts runs bin/cassini, Debian's Alertmanager, a webhook and a program, and
// kills them: nobody misses an incident.
package alerts
