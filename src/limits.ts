/**
 * Every bound of the system with its reason, one section a module.
 * A bound that an operator may want to change is a configuration variable instead.
 */
