package model

// AuthorityName begins the name of an authority that a manager made for itself. Such a one
// signs certificates of servers for the manager alone.
const AuthorityName = "Cassini on "
