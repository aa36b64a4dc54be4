// Package config settles what each setting of the command line is. A setting is
// a flag; where the flag is not given, the variable CASSINI_NAME of the
// environment stands in, then the key of that name in the configuration file,
// then the default. One rule serves all settings of all commands.
package config
