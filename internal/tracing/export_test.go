package tracing

// Wanted reports whether an environment asks for traces.
var Wanted = wanted
