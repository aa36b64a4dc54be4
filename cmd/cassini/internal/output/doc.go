// Package output writes what the commands show: aligned tables for people, JSON
// for programs. Tables know their terminal; all text in them is taken for
// hostile and cannot move the cursor or change a colour.
package output
