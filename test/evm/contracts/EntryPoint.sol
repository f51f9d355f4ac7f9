// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// The nonces of an ERC-4337 EntryPoint.
contract EntryPoint {
    mapping(address => mapping(uint192 => uint64)) private used;

    /// As executing the next user operation of the sequence does.
    function useNonce(address sender, uint192 key) external {
        used[sender][key] += 1;
    }

    function getNonce(address sender, uint192 key) external view returns (uint256) {
        return (uint256(key) << 64) | used[sender][key];
    }
}
