// Package groups folds the things of an estate into groups by function: what things with
// one executable, unit, image, label, subnet, switch and so on are and do together. It is
// pure: things and dependencies in, groups out; package graph tells them.
package groups
