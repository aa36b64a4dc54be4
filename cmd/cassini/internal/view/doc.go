// Package view lays out what the API answers as tables for people. Its functions
// are pure: the time that "3m ago" is measured from is given.
package view
