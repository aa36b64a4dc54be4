// Package bpf is the kernel side of Cassini: the eBPF programs (one concern a C
// file), their generated Go bindings, and the types that load, attach and read
// them. It knows nothing of documents or graphs; what a record means to people
// is decided by the agent.
//
// Objects are committed, so that building needs no clang; `make generate`
// rebuilds them.
package bpf

//go:generate go tool bpf2go -target bpfel -cc clang -cflags "-O2 -mcpu=v3 -g -Wall -Werror" -type event -type owner -type event_kind -type owner_kind -type direction -type table_state -type health -type sample tcp tcp.c
//go:generate go tool bpf2go -target bpfel -cc clang -cflags "-O2 -mcpu=v3 -g -Wall -Werror" -no-global-types bootstrap bootstrap.c
//go:generate go tool bpf2go -target bpfel -cc clang -cflags "-O2 -mcpu=v3 -g -Wall -Werror" -no-global-types unsent unsent.c
//go:generate go tool bpf2go -target bpfel -cc clang -cflags "-O2 -mcpu=v3 -g -Wall -Werror" -no-global-types udp udp.c
//go:generate go tool bpf2go -target bpfel -cc clang -cflags "-O2 -mcpu=v3 -g -Wall -Werror" -no-global-types udpbytes udpbytes.c
//go:generate go tool bpf2go -target bpfel -cc clang -cflags "-O2 -mcpu=v3 -g -Wall -Werror" -no-global-types -type traffic traffic traffic.c
//go:generate go tool bpf2go -target bpfel -cc clang -cflags "-O2 -mcpu=v3 -g -Wall -Werror" -type frame_counters -type bucket frames frames.c
//go:generate go tool bpf2go -target bpfel -cc clang -cflags "-O2 -mcpu=v3 -g -Wall -Werror" -type announce_counters -type bucket announce announce.c
//go:generate go tool bpf2go -target bpfel -cc clang -cflags "-O2 -mcpu=v3 -g -Wall -Werror" -type heartbeat_counters -type heartbeat_set -type pulse -type pulse_event -type pulse_state -type pulse_event_kind heartbeat heartbeat.c
//go:generate go tool bpf2go -target bpfel -cc clang -cflags "-O2 -mcpu=v3 -g -Wall -Werror" -no-global-types reflect reflect.c
//go:generate go tool bpf2go -target bpfel -cc clang -cflags "-O2 -mcpu=v3 -g -Wall -Werror" -type unix_edge -type unix_socket -type unix_open -type unix_question -type unix_counters -type unix_event -type unix_event_kind unixscan unixscan.c
//go:generate go tool bpf2go -target bpfel -cc clang -cflags "-O2 -mcpu=v3 -g -Wall -Werror" -no-global-types unix unix.c
//go:generate go tool bpf2go -target bpfel -cc clang -cflags "-O2 -mcpu=v3 -g -Wall -Werror" -no-global-types unixtrace unixtrace.c
//go:generate go tool bpf2go -target bpfel -cc clang -cflags "-O2 -mcpu=v3 -g -Wall -Werror" -no-global-types unixbytes unixbytes.c
//go:generate go tool bpf2go -target bpfel -cc clang -cflags "-O2 -mcpu=v3 -g -Wall -Werror" -type tap_socket -type tap_event -type tap_event_kind -type tap_counters tapscan tapscan.c
//go:generate go tool bpf2go -target bpfel -cc clang -cflags "-O2 -mcpu=v3 -g -Wall -Werror" -no-global-types taptrace taptrace.c
//go:generate go tool bpf2go -target bpfel -cc clang -cflags "-O2 -mcpu=v3 -g -Wall -Werror" -no-global-types tapcgroup tapcgroup.c
//go:generate go tool bpf2go -target bpfel -cc clang -cflags "-O2 -mcpu=v3 -g -Wall -Werror" -no-global-types -type association sctp sctp.c
//go:generate go tool bpf2go -target bpfel -cc clang -cflags "-O2 -mcpu=v3 -g -Wall -Werror" -no-global-types sctpscan sctpscan.c
//go:generate go tool bpf2go -target bpfel -cc clang -cflags "-O2 -mcpu=v3 -g -Wall -Werror" -no-global-types sctptraffic sctptraffic.c
//go:generate go tool bpf2go -target bpfel -cc clang -cflags "-O2 -mcpu=v3 -g -Wall -Werror" -type worker_key -type worker accept accept.c
