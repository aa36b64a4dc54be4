// Package tenants draws the border of a tenant through an estate: which documents of the
// log its people see, and what in them they do not. What is derived from those documents
// alone (a graph, events, answers) cannot hold what is behind the border.
//
// Documents of a tenant's own hosts pass as they are: what such a host hears on its wire
// is its own. Of what others say or the manager keeps, that passes which is about a
// tenant's host, with the names of other hosts replaced by masks: words that are the same
// for one host always, and that cannot be turned back.
package tenants
