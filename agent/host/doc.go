// Package host tells who this machine is and who its processes are: identity,
// operating system, users, cgroups. Everything is read when somebody asks,
// because the kernel reported something; nothing here runs on a timer.
package host
