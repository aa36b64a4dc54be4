// Package pcap reads capture files, pcap and pcapng, also compressed by gzip. It
// stands between google/gopacket's readers and files that nobody vouches for: it
// bounds what they allocate and turns a panic of theirs into an error.
package pcap
